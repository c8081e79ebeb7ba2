/**
 * The one script: signs in with what is behind `#`, and keeps the numbers of
 * a page live. Everything works without it, except being live.
 */
export const SCRIPT = `"use strict";
const form = document.getElementById("sign-in");
if (form && location.hash.length > 1) {
  form.elements.ticket.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  form.submit();
}
`;
