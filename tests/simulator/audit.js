// Flaws of the page that WCAG 2.2 AA names and a machine can see; an empty list is a pass.
const flaws = [];
const all = (css) => [...document.querySelectorAll(css)];
const say = (element, flaw) => flaws.push(`${element.tagName.toLowerCase()} #${element.id}: ${flaw}`);

// 1.1 to 1.3: structure
if (!document.documentElement.lang) flaws.push("no language");
if (!document.title) flaws.push("no title");
for (const one of ["header", "nav", "main", "h1"]) if (all(one).length !== 1) flaws.push(`${all(one).length} of ${one}`);
for (const table of all("table")) {
  if (!table.caption || !table.querySelector("th[scope=col]")) say(table, "table without caption or headers");
  for (const row of table.querySelectorAll("tbody tr"))
    if (row.cells.length > 1 && !row.querySelector("th[scope=row]")) say(table, "table row without header");
}
const ids = all("[id]").map((element) => element.id);
for (const id of new Set(ids)) if (ids.filter((other) => other === id).length > 1) flaws.push(`id ${id} stands twice`);
for (const section of all("section")) if (!document.getElementById(section.getAttribute("aria-labelledby"))) say(section, "no label");

// 2.5.3, 4.1.2: every control has a name, and it begins with what is seen
for (const control of all("button, a, summary")) {
  const seen = control.textContent.trim(), name = control.getAttribute("aria-label") || seen;
  if (!name) say(control, "no name");
  else if (!name.startsWith(seen)) say(control, "its name is not its text");
}

// 1.4.3: contrast of text, 4.5 to 1
const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
const luminance = (colour) => channels(colour).slice(0, 3)
  .map((value) => value / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
  .reduce((sum, value, place) => sum + value * [0.2126, 0.7152, 0.0722][place], 0);
const background = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const colour = getComputedStyle(at).backgroundColor;
    if ((channels(colour)[3] ?? 1) > 0) return colour;
  }
  return "rgb(255, 255, 255)";
};
for (const element of all("body *")) {
  const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
  if (!own || !element.getClientRects().length || ["SCRIPT", "STYLE", "NOSCRIPT"].includes(element.tagName)) continue;
  const [a, b] = [luminance(getComputedStyle(element).color), luminance(background(element))];
  const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (contrast < 4.5) say(element, `contrast ${contrast.toFixed(2)}`);
}
return flaws;
