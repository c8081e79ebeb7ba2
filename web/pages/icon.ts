/** The sign of the server: a hull, cut open; one of three rooms is flooded. */

const HULL = "M1 4h30l-4 12q-1 3-4 3H9q-3 0-4-3z";
const ROOM = "M12 10h8v9h-8z";
const WALLS = "M12 4v15M20 4v15";

/** In a page: coloured by the style sheet. */
export const SIGN_SVG =
  '<svg class="sign" viewBox="0 0 32 20" width="32" height="20" aria-hidden="true">' +
  `<path class="flood" d="${ROOM}"/><path class="hull" d="${HULL}"/>` +
  `<path class="wall" d="${WALLS}"/></svg>`;

/** By itself, for a browser's tab. */
export const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 -6 32 32">' +
  `<path fill="#3aa0b2" d="${ROOM}"/>` +
  `<path fill="none" stroke="#2b8596" stroke-width="2.4" d="${HULL}${WALLS}"/></svg>`;
