/**
 * The console's one style sheet: light and dark, narrow and wide, print.
 * Colours are chosen so that text has a contrast of 4.5:1 and more on every
 * ground that it stands on, and never say anything alone.
 */
export const STYLE = `:root {
  color-scheme: light dark;
  --ink: light-dark(#16202a, #dfe6ea);
  --dim: light-dark(#51606c, #98a6b0);
  --paper: light-dark(#f6f7f5, #0f161b);
  --card: light-dark(#ffffff, #161f26);
  --well: light-dark(#ecefee, #1d2830);
  --line: light-dark(#d3d9d9, #2b3841);
  --accent: light-dark(#0b6171, #63c3d3);
  --good: light-dark(#1b6b3a, #6fcf97);
  --waiting: light-dark(#7d5300, #e3b04b);
  --bad: light-dark(#a8201a, #ff8f85);
  --good-bg: light-dark(#e6f2e9, #14291e);
  --waiting-bg: light-dark(#fbf1da, #2b2312);
  --bad-bg: light-dark(#fbe9e7, #331a19);
  --p1: light-dark(#a9cfd6, #24505a);
  --p3: light-dark(#b07a12, #d19c3a);
  --p4: light-dark(#c4534c, #d8766e);
  --p5: light-dark(#6d4a8f, #b295d6);
  --mono: ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", Menlo, monospace;
}
* { box-sizing: border-box; }
body {
  margin: 0;
  background: var(--paper);
  color: var(--ink);
  font: 0.9375rem/1.45 system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif;
  font-variant-numeric: tabular-nums;
  display: grid;
  grid-template: "top top" auto "ways main" 1fr "ways foot" auto / 11.5rem minmax(0, 1fr);
  min-height: 100vh;
}
a { color: var(--accent); text-underline-offset: 0.15em; text-decoration-thickness: 1px; }
a:hover { text-decoration-thickness: 2px; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
main:focus { outline: none; }
h1 { font-size: 1.5rem; line-height: 1.2; margin: 0; font-weight: 650; letter-spacing: -0.01em; }
h2 { font-size: 1.0625rem; margin: 1.75rem 0 0.5rem; font-weight: 650; }
h3 { font-size: 0.9375rem; margin: 1.1rem 0 0.3rem; font-weight: 650; }
p { margin: 0.5rem 0; max-width: 72ch; }
main, bdi { overflow-wrap: anywhere; }
code, pre, .id { font-family: var(--mono); font-size: 0.92em; }
.dim { color: var(--dim); }
.n { text-align: right; }
.sr {
  position: absolute; width: 1px; height: 1px; margin: -1px; padding: 0;
  overflow: hidden; clip-path: inset(50%); white-space: nowrap; border: 0;
}
.skip { position: absolute; left: 0.5rem; top: -4rem; background: var(--card); padding: 0.5rem 1rem; z-index: 2; }
.skip:focus { top: 0.5rem; }

.top {
  grid-area: top; display: flex; flex-wrap: wrap; align-items: center;
  gap: 0.35rem 1.25rem; padding: 0.55rem 1.25rem;
  background: var(--card); border-bottom: 1px solid var(--line);
}
.home { display: flex; align-items: center; gap: 0.6rem; font-weight: 650; color: inherit; text-decoration: none; overflow-wrap: anywhere; }
.sign { flex: none; }
.sign .hull { fill: none; stroke: var(--accent); stroke-width: 1.8; }
.sign .flood { fill: var(--accent); opacity: 0.45; }
.sign .wall { stroke: var(--accent); stroke-width: 1.8; }
.state { display: flex; gap: 0.6rem; align-items: baseline; }
.state a { text-decoration: none; }
.find { display: flex; gap: 0.35rem; margin-left: auto; }
.find input { width: 15rem; }
.account { margin: 0; }

.ways { grid-area: ways; padding: 1.1rem 0 1rem 1.25rem; }
.ways p { font-size: 0.75rem; margin: 0.9rem 0 0.2rem; color: var(--dim); font-weight: 600; }
.ways div:first-child p { margin-top: 0; }
.ways ul { list-style: none; margin: 0; padding: 0; }
.ways a { display: block; padding: 0.28rem 0.6rem; margin-left: -0.6rem; color: inherit; text-decoration: none; border-left: 3px solid transparent; border-radius: 0 3px 3px 0; }
.ways a:hover { background: var(--well); }
.ways [aria-current] { border-left-color: var(--accent); background: var(--well); font-weight: 650; }

main { grid-area: main; padding: 1.1rem 1.25rem 2rem; max-width: 82rem; min-width: 0; }
.lead { color: var(--dim); margin-top: 0.2rem; }
footer { grid-area: foot; padding: 0.6rem 1.25rem; font-size: 0.8125rem; border-top: 1px solid var(--line); }

button, input, .sure > summary {
  font: inherit; color: inherit; border: 1px solid var(--dim); border-radius: 4px;
  background: var(--card); padding: 0.25rem 0.6rem; min-height: 2rem;
}
button, .sure > summary { cursor: pointer; font-weight: 550; }
button:hover, .sure > summary:hover { background: var(--well); }
button.danger { background: light-dark(#a8201a, #8e2b25); border-color: transparent; color: #fff; }
button.danger:hover { background: light-dark(#8c1712, #a8352e); }
button.quiet { border-color: var(--line); font-weight: 400; }
input { min-width: 0; }
input::placeholder { color: var(--dim); opacity: 1; }
input[type=checkbox] { width: 1.15rem; height: 1.15rem; min-height: 0; margin: 0.1rem 0 0; accent-color: var(--accent); }
form.button { display: inline; }
.filter { display: flex; flex-wrap: wrap; gap: 0.4rem 0.5rem; align-items: center; margin: 0.75rem 0; }
.filter.big label { flex-basis: 100%; }
.filter.big input { flex: 0 1 28rem; }
.acts { display: flex; flex-wrap: wrap; gap: 0.4rem; align-items: flex-start; margin: 0.6rem 0; }
.bulk fieldset { display: flex; flex-wrap: wrap; gap: 0.4rem; align-items: flex-start; border: 1px solid var(--line); border-radius: 6px; padding: 0.3rem 0.7rem 0.6rem; margin: 0.75rem 0; }
.bulk legend { color: var(--dim); padding: 0 0.3rem; }
.sure > summary { display: flex; align-items: center; list-style: none; }
.acts .sure > summary, .bulk .sure > summary { color: var(--bad); }
.sure > summary::-webkit-details-marker { display: none; }
.sure[open] > div { border-left: 3px solid var(--line); padding: 0.1rem 0 0.3rem 0.8rem; margin-top: 0.4rem; }
summary { cursor: pointer; padding: 2px 0; width: max-content; max-width: 100%; }
details:not(.sure) > summary { color: var(--accent); }

.tone .glyph { font-weight: 700; margin-right: 0.35em; }
.tone.good, .glyph.good { color: var(--good); }
.tone.waiting { color: var(--waiting); }
.tone.bad, .glyph.bad { color: var(--bad); }
.odd { color: var(--bad); font-style: normal; font-size: 0.85em; border: 1px solid; border-radius: 3px; padding: 0 0.3em; }
.notice, .hint, .empty { background: var(--well); border-radius: 4px; padding: 0.5rem 0.8rem; border-left: 3px solid var(--dim); }
.notice.waiting { border-left-color: var(--waiting); }
.hint { background: none; border-left-color: var(--accent); }
.empty { border-left-color: var(--good); }
.worries { list-style: none; margin: 0.75rem 0; padding: 0; max-width: 72rem; }
.worries li { display: flex; }
.worries li { background: var(--bad-bg); border-left: 4px solid var(--bad); padding: 0.5rem 0.8rem; margin: 0.3rem 0; border-radius: 0 4px 4px 0; }

.tiles { list-style: none; margin: 0.9rem 0 0.4rem; padding: 0; display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); background: var(--card); border: 1px solid var(--line); border-radius: 6px; overflow: hidden; }
.tiles li { padding: 0.55rem 0.9rem 0.6rem; box-shadow: -1px -1px 0 var(--line); }
.tiles .name { display: block; color: var(--dim); }
.tiles strong { display: block; font-size: 1.75rem; line-height: 1.2; font-weight: 600; letter-spacing: -0.02em; }
.tiles :is(.name, .dim) { font-size: 0.8125rem; }

.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 0.75rem; margin: 0.9rem 0 0.5rem; }
.plot { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 0.6rem 0.9rem; }
.plot figcaption { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 0.5rem; }
.plot svg { display: block; width: 100%; height: auto; margin-top: 0.35rem; }
.plot text { fill: var(--dim); font-size: 10.5px; }
.plot p { font-size: 0.8125rem; margin: 0.3rem 0 0; }
.plot .grid { stroke: var(--line); fill: none; }
.stroke { fill: none; stroke-width: 1.75; stroke-linejoin: round; stroke-linecap: round; }
.p1.area { fill: var(--p1); } .p3.area { fill: var(--p3); } .p4.area { fill: var(--p4); } .p5.area { fill: var(--p5); }
.p2.stroke { stroke: var(--accent); } .p3.stroke { stroke: var(--p3); stroke-dasharray: 4 3; }
.keys { margin-left: auto; font-size: 0.8125rem; color: var(--dim); display: flex; gap: 0.8rem; }
.key::before { content: ""; display: inline-block; width: 0.7em; height: 0.7em; margin-right: 0.35em; background: currentColor; border-radius: 2px; }
.key.line::before { height: 0; width: 1em; border-top: 2px solid; background: none; vertical-align: middle; }
.key.p3.line::before { border-top-style: dashed; }
.key.p1::before { color: var(--p1); } .key.p2::before { color: var(--accent); } .key.p3::before { color: var(--p3); } .key.p4::before { color: var(--p4); } .key.p5::before { color: var(--p5); }

table { overflow-wrap: break-word; border-collapse: collapse; width: 100%; background: var(--card); border: 1px solid var(--line); border-radius: 6px; margin: 0.5rem 0; }
caption { text-align: left; color: var(--dim); padding: 0 0 0.35rem; font-size: 0.875rem; }
th, td { text-align: left; padding: 0.38rem 0.7rem; border-top: 1px solid var(--line); vertical-align: top; }
th.n, td.n { text-align: right; white-space: nowrap; }
thead th, thead td { border-top: 0; color: var(--dim); font-weight: 600; font-size: 0.8125rem; white-space: nowrap; }
tbody th { font-weight: 550; }
tbody tr:hover { background: var(--well); }
.messages { table-layout: fixed; }
.messages :is(.id, .tone) { white-space: nowrap; }
.w0 { width: 2.4rem; } .w1 { width: 10.4rem; } .w2 { width: 6.2rem; } .w3 { width: 5.2rem; } .w6 { width: 7.2rem; } .w7 { width: 26%; } .w4 { width: 14%; }
.messages { font-size: 0.875rem; }
.messages time .dim { display: block; }
tbody th .dim { font-weight: 400; }
time { white-space: nowrap; }
.pick { padding-right: 0; }
.counters { display: flex; flex-wrap: wrap; gap: 0 0.9rem; font-size: 0.8125rem; color: var(--dim); }
.counters b { color: var(--ink); font-weight: 600; }
meter { width: 100%; min-width: 5rem; height: 0.8rem; }

.tabs { list-style: none; margin: 0.9rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: 0.3rem; }
.tabs a { display: block; padding: 0.25rem 0.7rem; border: 1px solid var(--line); border-radius: 99px; color: inherit; text-decoration: none; background: var(--card); }
.tabs a:hover { background: var(--well); }
.tabs [aria-current] { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
.pages { display: flex; gap: 1rem; margin: 0.75rem 0; }

.headline { font-size: 1.125rem; line-height: 1.4; padding: 0.7rem 1rem; border-left: 4px solid var(--dim); background: var(--well); border-radius: 0 6px 6px 0; max-width: 60rem; }
.headline .tone { color: inherit; }
.headline.good { border-color: var(--good); background: var(--good-bg); }
.headline.waiting { border-color: var(--waiting); background: var(--waiting-bg); }
.headline.bad { border-color: var(--bad); background: var(--bad-bg); }
.steps { list-style: none; margin: 0; padding: 0 0 0 0.4rem; max-width: 60rem; }
.steps > li { border-left: 2px solid var(--line); padding: 0 0 1rem 1.1rem; position: relative; }
.steps > li:last-child { padding-bottom: 0; }
.steps > li::before { content: ""; position: absolute; left: -6px; top: 0.4em; width: 10px; height: 10px; border-radius: 50%; background: var(--dim); box-shadow: 0 0 0 3px var(--paper); }
.steps > .good::before { background: var(--good); }
.steps > .waiting::before { background: var(--waiting); }
.steps > .bad::before { background: var(--bad); border-radius: 1px; }
.steps p { margin: 0 0 0.15rem; }
.whose { color: var(--dim); }
pre { background: var(--well); border-radius: 4px; padding: 0.6rem 0.8rem; margin: 0.4rem 0; white-space: pre-wrap; font-size: 0.8125rem; max-height: 30rem; overflow: auto; }
.advice { padding-left: 1.2rem; margin: 0.3rem 0; }
.advice li { margin: 0.4rem 0; }
.command { box-decoration-break: clone; background: var(--well); border: 1px solid var(--line); border-radius: 4px; padding: 0.08rem 0.4rem; user-select: all; }

.facts { margin: 0.5rem 0; display: grid; gap: 0; max-width: 60rem; }
.facts > div { display: grid; grid-template-columns: 9rem minmax(0, 1fr); gap: 0.75rem; padding: 0.25rem 0; border-top: 1px solid var(--line); }
.facts > div:first-child { border-top: 0; }
dt { color: var(--dim); }
dd { margin: 0; }
dl.plain { max-width: 60rem; }
dl.plain dt { color: var(--ink); font-weight: 600; margin-top: 0.6rem; }
.lines, .flags, .walls { margin: 0; padding: 0; list-style: none; max-width: 60rem; }
.walls li { padding: 0.3rem 0 0.3rem 0.9rem; border-left: 4px solid var(--accent); margin: 0.25rem 0; background: var(--card); }
.flags li { margin: 0.25rem 0; }
.verdicts { list-style: none; margin: 0; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(min(30rem, 100%), 1fr)); gap: 0.6rem; }
.verdicts article { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 0.6rem 0.9rem; height: 100%; }
.plot h3 { margin: 0; }
.verdicts h3 { display: inline; margin-right: 0.5rem; font-family: var(--mono); overflow-wrap: anywhere; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 0 1.5rem; }

.wide { overflow-x: auto; margin: 0.75rem 0; }
.hull-plan { display: block; }
.hull-plan .hull { fill: var(--card); stroke: var(--accent); stroke-width: 2.5; }
.bulkhead { stroke: var(--line); stroke-width: 2; }
.wire { fill: none; stroke: var(--dim); stroke-width: 1.2; opacity: 0.65; }
.port { fill: var(--dim); }
.room { fill: var(--well); stroke: var(--good); stroke-width: 1.4; }
.room.bad { stroke: var(--bad); fill: var(--bad-bg); stroke-width: 2.5; }
.room.off { stroke: var(--line); stroke-dasharray: 4 3; }
.lit { visibility: hidden; pointer-events: none; }
.hull-plan a:is(:hover, :focus-visible) .lit { visibility: visible; }
.lit .wire { stroke: var(--accent); stroke-width: 2; opacity: 1; }
.lit .port { fill: var(--accent); }
.hull-plan a:hover .room { fill: var(--paper); }
.hull-plan a:focus-visible { outline: none; }
.hull-plan a:focus-visible .room { stroke: var(--accent); stroke-width: 4; }
.hull-plan text { fill: var(--ink); font-size: 13px; }
.hull-plan .level { font-weight: 600; font-size: 12px; }
.hull-plan .level-words { fill: var(--dim); font-size: 11px; }
.hull-plan .glyph.good { fill: var(--good); } .hull-plan .glyph.bad { fill: var(--bad); } .hull-plan .glyph.off { fill: var(--dim); }

.fresh { animation: fresh 1.6s ease-out; }
@keyframes fresh { from { background: light-dark(#cfe7ec, #1e4049); } }
@media (prefers-reduced-motion: reduce) { .fresh { animation: none; } }

@media (max-width: 70rem) {
  body { display: block; }
  .top { padding: 0.5rem 0.9rem; }
  .find { margin-left: 0; flex: 1 0 100%; order: 9; }
  .find input { flex: 1; }
  .account { margin-left: auto; }
  .ways { display: flex; flex-wrap: wrap; gap: 0 1rem; padding: 0.4rem 0.9rem; background: var(--well); }
  .ways p { position: absolute; clip-path: inset(50%); }
  .ways ul { display: flex; flex-wrap: wrap; gap: 0 0.1rem; }
  .ways a { margin: 0; padding: 0.3rem 0.5rem; border-left: 0; border-bottom: 3px solid transparent; border-radius: 0; }
  .ways [aria-current] { border-bottom-color: var(--accent); }
  main { padding: 0.9rem; }
  .cards, .cards caption { display: block; }
  .cards tbody { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(21rem, 100%), 1fr)); gap: 0.5rem; }
  .cards { border: 0; background: none; }
  .cards thead { position: absolute; clip-path: inset(50%); height: 1px; overflow: hidden; }
  .cards tr { display: grid; grid-template-columns: minmax(0, 1fr); background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 0.4rem 0.7rem; align-content: start; }
  .cards th, .cards td, .cards td.n { border: 0; padding: 0.12rem 0; text-align: left; white-space: normal; }
  .cards td[data-is] { position: relative; padding-left: 6.2rem; }
  .cards td[data-is]::before { content: attr(data-is); position: absolute; left: 0; color: var(--dim); font-size: 0.8125rem; }
  .messages time .dim { display: inline; }
  .cards td[data-is=""] { padding-left: 0; }
  .cards td:empty { display: none; }
  .cards tr { position: relative; }
  .cards tr .pick { position: absolute; right: 0.7rem; top: 0.5rem; z-index: 1; }
  .cards tr .pick + th { padding-right: 2.5rem; }
  .facts > div { grid-template-columns: 6.5rem minmax(0, 1fr); gap: 0.6rem; }
  button, .find input, .filter input, .sure > summary { min-height: 2.4rem; }
}
@media print {
  :root { color-scheme: light; }
  body { display: block; background: none; }
  .ways, .find, .account, .skip, .acts, .bulk, footer, .filter { display: none; }
  tr, .plot, article { break-inside: avoid; }
  a { color: inherit; }
}
`;
