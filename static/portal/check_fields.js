// Asks the portal about a field of a partner's entry as soon as somebody leaves it or pauses.

const PAUSE = 600; // milliseconds without a key
const CHECKED = ["name", "legal_number", "email", "website", "connect_url", "uri", "url", "fingerprint"];
const ADDRESS = "/admin/partners/partner/check/";

function kindOf(field) {
  const last = field.name.split("-").pop();
  // Only fields of text: the box "delete" of a row has no kind.
  return CHECKED.includes(last) ? last : "";
}

function placeFor(field) {
  const id = `${field.id}_said`;
  let place = document.getElementById(id);
  if (!place) {
    place = document.createElement("p");
    place.id = id;
    place.className = "help";
    place.setAttribute("role", "status");
    field.after(place);
    const described = field.getAttribute("aria-describedby");
    field.setAttribute("aria-describedby", described ? `${described} ${id}` : id);
  }
  return place;
}

async function check(field) {
  const kind = kindOf(field);
  // What the form was opened with is good, or the server has said why not.
  if (field.value === field.defaultValue || !field.value.trim()) {
    placeFor(field).textContent = "";
    return;
  }
  const asked = field.value;
  const query = new URLSearchParams({ field: kind, value: asked });
  const answer = await fetch(`${ADDRESS}?${query}`, { headers: { Accept: "application/json" } });
  if (!answer.ok || field.value !== asked) return;
  const { problem } = await answer.json();
  placeFor(field).textContent = problem;
  field.setAttribute("aria-invalid", problem ? "true" : "false");
}

const timers = new WeakMap();

function later(field) {
  clearTimeout(timers.get(field));
  timers.set(field, setTimeout(() => check(field), PAUSE));
}

document.addEventListener("input", ({ target }) => target.form && kindOf(target) && later(target));
document.addEventListener("change", ({ target }) => target.form && kindOf(target) && check(target));
