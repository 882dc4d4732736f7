// A diagram shrinks with the page as long as its text stays readable; on narrower pages it scrolls in its own box. The theme
// colours sequence diagrams by element names of an older Mermaid, so lines and arrow heads get their colours here.
const colours = `<style>
  .actor-line { stroke: var(--md-mermaid-sequence-actor-line-color) !important }
  :is([id$="-arrowhead"], [id$="-filled-head"]) path { fill: var(--md-mermaid-edge-color) !important }
  [id$="-crosshead"] path { stroke: var(--md-mermaid-edge-color) !important }
</style></svg>`;
const render = mermaid.render;
mermaid.render = async (...of) => {
  const drawn = await render(...of);
  const svg = drawn.svg.replace(/max-width: ([\d.]+px)/, "min-width: min($1, 36rem); max-width: $1");
  return { ...drawn, svg: svg.replace(/<\/svg>$/, colours) };
};
