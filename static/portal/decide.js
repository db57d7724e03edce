// Guards forms that decide something. The server checks all of this again.

const DEAD_TIME = 400; // milliseconds, against a click that was meant for another window

/** No press counts right after the page appears or its window comes to the front. */
function deadTime(form) {
  const buttons = form.querySelector("[data-buttons]");
  let timer;
  let focused = null;
  const end = () => {
    buttons.inert = false;
    // Becoming inert takes the focus away; whoever uses the keyboard gets it back.
    focused?.focus();
    focused = null;
  };
  const begin = () => {
    if (buttons.contains(document.activeElement)) focused = document.activeElement;
    buttons.inert = true;
    clearTimeout(timer);
    timer = setTimeout(end, DEAD_TIME);
  };
  begin();
  // Within the page focus moves too; only the window itself counts here.
  window.addEventListener("focus", (event) => event.target === window && begin());
}

function sendOnce(form) {
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
    form.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    sent = false;
    form.removeAttribute("aria-busy");
  });
}

for (const form of document.querySelectorAll("form[data-decide]")) {
  deadTime(form);
  sendOnce(form);
}
