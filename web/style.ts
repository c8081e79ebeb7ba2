/** The console's style sheet: light and dark, narrow and wide. */
export const STYLE = `:root {
  color-scheme: light dark;
  --ink: light-dark(#1b1f24, #e6e8eb);
  --paper: light-dark(#ffffff, #14171a);
  --line: light-dark(#c9ced6, #3a4047);
}
body {
  margin: 0;
  background: var(--paper);
  color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif;
}
main { max-width: 70rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; margin: 0.5rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 1.5rem 0 0.5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td {
  text-align: left;
  padding: 0.3rem 0.6rem;
  border-bottom: 1px solid var(--line);
  vertical-align: top;
  max-width: 24rem;
  overflow-wrap: anywhere;
}
`;
