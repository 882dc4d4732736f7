// Boxes that scroll sideways get the keyboard focus, so that readers can scroll them without a mouse.
const boxes = new ResizeObserver((seen) => {
  for (const { target } of seen) target.tabIndex = target.scrollWidth > target.clientWidth ? 0 : -1;
});
// the theme puts the boxes around tables and diagrams after the page has loaded
const find = () => document.querySelectorAll(".md-typeset__scrollwrap, .mermaid").forEach((box) => boxes.observe(box));
new MutationObserver(find).observe(document.querySelector("article"), { childList: true, subtree: true });

// A long name wraps where its parts are joined: in tables only there, in text preferably there.
for (const name of document.querySelectorAll("article :not(pre) > code")) {
  if (name.children.length || name.textContent.length < 24) continue;
  const parts = name.textContent.split(/(?<=.[_/:.,=&?-])(?=\w)/);
  name.replaceChildren(...parts.flatMap((part) => [document.createElement("wbr"), part]).slice(1));
}
