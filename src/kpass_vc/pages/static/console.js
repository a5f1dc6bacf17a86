// What the console's pages cannot do without script: passkeys, and progress that shows by itself.
// Every other part of the console works where this file is not loaded.
"use strict";

const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=/g, "");

const withBytes = (options) => {
  const found = { ...options, challenge: bytes(options.challenge) };
  if (options.user) found.user = { ...options.user, id: bytes(options.user.id) };
  for (const list of ["excludeCredentials", "allowCredentials"])
    if (options[list]) found[list] = options[list].map((each) => ({ ...each, id: bytes(each.id) }));
  return found;
};

const asJson = (credential) => {
  const response = {};
  for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"])
    if (credential.response[part]) response[part] = text(credential.response[part]);
  return JSON.stringify({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    clientExtensionResults: credential.getClientExtensionResults(),
    response,
  });
};

const fill = (form, name, value) => {
  form.querySelector(`input[name="${name}"]`).value = value;
};

async function answer(form) {
  const csrf = form.querySelector('input[name="csrf"]');
  const reply = await fetch(form.dataset.options, {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(csrf ? { csrf: csrf.value } : {}),
  });
  if (!reply.ok) throw new Error(String(reply.status));
  const asked = await reply.json();
  const publicKey = withBytes(asked.options);
  const credential =
    form.dataset.passkey === "make"
      ? await navigator.credentials.create({ publicKey })
      : await navigator.credentials.get({ publicKey });
  fill(form, "ceremony", asked.ceremony);
  fill(form, "answer", asJson(credential));
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  for (const each of document.querySelectorAll("[data-with-passkeys]")) each.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const told = form.querySelector("[data-passkey-failed]");
    told.hidden = true;
    try {
      await answer(form);
    } catch {
      told.hidden = false;
      return;
    }
    form.submit();
  });
}

async function look(part) {
  const reply = await fetch(part.dataset.look, { headers: { Accept: "text/html" } });
  if (!reply.ok || reply.redirected) return part;
  const page = new DOMParser().parseFromString(await reply.text(), "text/html");
  const found = page.getElementById(part.id);
  if (!found) return part;
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  part.replaceWith(document.adoptNode(found));
  if (focused) {
    const place = focused.getAttribute("href");
    const same = [...found.querySelectorAll("a, [tabindex]")].find((each) =>
      place ? each.getAttribute("href") === place : each.className === focused.className);
    if (same) same.focus({ preventScroll: true });
  }
  return found;
}

async function follow(part) {
  let now = part;
  while (now.dataset.look) {
    await new Promise((done) => setTimeout(done, 1500));
    try {
      now = await look(now);
    } catch {
      // the network is away for a moment: the next look tells
    }
  }
}

for (const part of document.querySelectorAll("[data-look]")) follow(part);
