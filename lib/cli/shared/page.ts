/** What the pages of the command line share: the frame, the style, and text that is safe in HTML. */

/** A whole page; `body` is HTML, `title` is text. */
export function page({ title, style, body }: { title: string; style: string; body: string }): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${baseStyle}${style}</style>
<main>
${body}
</main>
</html>
`;
}

/** Text as HTML, in elements and in attributes with double quotes. */
export function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => entities[character] as string);
}

/** A part of a page with its heading; `content` is HTML. */
export function section(title: string, content: string): string {
  return `<section><h2>${escaped(title)}</h2>\n${content}</section>`;
}

/** Names and values side by side. */
export function factList(facts: readonly (readonly [name: string, value: string])[]): string {
  const items = facts.map(([name, value]) => `<div><dt>${escaped(name)}</dt><dd>${escaped(value)}</dd></div>`);
  return `<dl>${items.join('')}</dl>`;
}

const baseStyle = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --paper: #fff; --line: #dfe4ea;
  --same: #1f8a5b; --near: #d9a21b; --wrong: #c9372c; --none: #f1f3f6; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6eaf0; --soft: #9aa5b4; --paper: #14181e; --line: #2b323c; --same: #1d7a52; --near: #a97b10;
    --wrong: #b3342a; --none: #1d232b; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 76rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { margin: 0 0 .5rem; font-size: 1.7rem; } h2 { margin: 2rem 0 .75rem; font-size: 1.15rem; }
.verdict { display: inline-block; margin: 0 0 .75rem; padding: .35rem .8rem; border-radius: .4rem; color: #fff; font-weight: 600; }
.good { background: var(--same); } .bad { background: var(--wrong); }
.where { margin: 0; color: var(--soft); overflow-wrap: anywhere; }
dl { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.25rem 0 0; }
dl div { padding: .6rem 1rem; border: 1px solid var(--line); border-radius: .5rem; }
dt { color: var(--soft); font-size: .8rem; } dd { margin: 0; font-size: 1.25rem; font-weight: 600; }
.scroll { overflow-x: auto; }
details { border-bottom: 1px solid var(--line); padding: .4rem 0; } summary { cursor: pointer; overflow-wrap: anywhere; }
pre { margin: .5rem 0; padding: .6rem .8rem; overflow-x: auto; background: var(--none); border-radius: .4rem; font-size: .8rem; }
`;
