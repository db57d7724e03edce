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

/** The button that needs the switch works only while the switch is on. */
function followSwitch(form) {
  const needing = form.querySelector("[data-needs-switch]");
  const toggle = form.querySelector("[role=switch], input[type=checkbox]");
  if (!needing || !toggle) return;
  const hint = form.querySelector("[data-switch-hint]");
  const follow = () => {
    needing.disabled = !toggle.checked;
    if (hint) hint.hidden = toggle.checked;
  };
  toggle.addEventListener("change", follow);
  // Back may bring the page with the switch as it was left.
  window.addEventListener("pageshow", follow);
  follow();
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
  followSwitch(form);
  sendOnce(form);
}
