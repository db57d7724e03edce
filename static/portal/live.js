// Keeps the proof of a stop up to date: reads the same page again and takes over its numbers.

const EVERY = 1000; // milliseconds
// Looking is activity: an unattended screen must not keep a session awake for longer.
const AT_MOST = 300; // times

const shown = () => document.querySelectorAll("[data-live]");

/** Resolves to false when the page is no longer this one: logged out, or gone. */
async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return false;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const place of shown()) {
    const now = fresh.querySelector(`[data-live="${place.dataset.live}"]`);
    if (!now) return false;
    if (now.textContent !== place.textContent) place.textContent = now.textContent;
  }
  return true;
}

async function look(left) {
  let goOn = true;
  try {
    if (!document.hidden) goOn = await refresh();
  } catch {
    // No network for a moment; the next look may find one.
  }
  if (goOn && left > 1) setTimeout(look, EVERY, left - 1);
}

if (shown().length) setTimeout(look, EVERY, AT_MOST);
