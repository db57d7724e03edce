// Closes an open menu with Escape, or with a click anywhere else. Shows where one is in the strip
// of the office, which scrolls sideways on a phone.

const open = () => document.querySelector("details.menu[open]");

document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && open();
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

document.addEventListener("click", (event) => {
  const menu = open();
  if (menu && !menu.contains(event.target)) menu.open = false;
});

const middle = (element) => {
  const box = element.getBoundingClientRect();
  return box.left + box.width / 2;
};

// The letters decide how long the strip is.
document.fonts.ready.then(() => {
  const here = document.querySelector(".nav-office [aria-current]");
  const strip = here && here.closest(".nav-office > ul");
  if (strip) strip.scrollLeft += middle(here) - middle(strip);
});
