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

const here = document.querySelector(".nav-office [aria-current]");
if (here) {
  const strip = here.closest(".nav-office > ul");
  const middle = (box) => box.left + box.width / 2;
  strip.scrollLeft += middle(here.getBoundingClientRect()) - middle(strip.getBoundingClientRect());
}
