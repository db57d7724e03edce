// Copies a consent's identifier: a click on the identifier or on its button.

const SAID_FOR = 4000; // milliseconds

function selectText(node) {
  const range = document.createRange();
  range.selectNodeContents(node);
  const selection = window.getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
}

/** Resolves to true when the text is on the clipboard; browsers give none to plain-http hosts. */
async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

function say(box, text) {
  const said = box.querySelector("[data-said]");
  said.textContent = text;
  clearTimeout(box.sayTimer);
  box.sayTimer = setTimeout(() => (said.textContent = ""), SAID_FOR);
}

async function copy(box) {
  const code = box.querySelector("code");
  const copied = await toClipboard(code.textContent.trim());
  if (!copied) selectText(code);
  say(box, copied ? box.dataset.copied : box.dataset.selected);
}

for (const box of document.querySelectorAll("[data-identifier]")) {
  const button = box.querySelector("button");
  button.hidden = false;
  box.dataset.ready = "";
  button.addEventListener("click", () => copy(box));
  box.querySelector("code").addEventListener("click", () => copy(box));
}
