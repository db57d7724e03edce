// Brings the person back to the software after some seconds, unless she says "Stay here".

const box = document.querySelector("[data-return-seconds]");
const link = document.querySelector("[data-return-link]");

/** Whoever came here by Back, or does not want motion, decides herself when to go on. */
function mayMove() {
  const [navigation] = performance.getEntriesByType("navigation");
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  return !calm && navigation?.type !== "back_forward";
}

function start() {
  const seconds = box.querySelector("[data-seconds]");
  const stay = box.querySelector("button");
  let left = Number(box.dataset.returnSeconds);
  const show = () => (seconds.textContent = String(left));

  const timer = setInterval(() => {
    left -= 1;
    show();
    if (left > 0) return;
    clearInterval(timer);
    // The link carries rel="noreferrer", so the software does not learn this address.
    link.click();
  }, 1000);

  const stop = () => {
    clearInterval(timer);
    box.querySelector("[data-counting]").hidden = true;
    stay.hidden = true;
    box.querySelector("[data-stayed]").textContent = box.dataset.stayed;
  };
  stay.addEventListener("click", () => {
    stop();
    link.focus();
  });
  // A page that comes out of the browser's memory must not jump away again.
  window.addEventListener("pageshow", (event) => event.persisted && stop());
  show();
  box.hidden = false;
}

if (box && link && mayMove()) start();
