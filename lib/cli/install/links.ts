/** Reads the links of an HTML page in linear time, whatever the page contains. */

/** The `href` of each `<a>`, without decoding. Comments are skipped. */
export function* linksOf(html: string): Generator<string, void> {
  let at = html.indexOf('<');
  while (at >= 0) {
    if (html.startsWith('<!--', at)) at = after(html, '-->', at + 4);
    else if (/[aA]/.test(html.charAt(at + 1)) && isSpace(html, at + 2)) {
      const tag = new Attributes(html, at + 2);
      const [href] = [...tag].filter(([name]) => name.toLowerCase() === 'href');
      if (href !== undefined) yield href[1];
      at = tag.at;
    } else at++;
    at = html.indexOf('<', at);
  }
}

/** The attributes of a tag, with quoted or unquoted values. */
class Attributes implements Iterable<[name: string, value: string]> {
  constructor(
    readonly html: string,
    /** The current offset in the page. */
    public at: number,
  ) {}

  *[Symbol.iterator](): Generator<[string, string], void> {
    const { html } = this;
    for (;;) {
      while (isSpace(html, this.at) || html[this.at] === '/') this.at++;
      if (this.at >= html.length || html[this.at] === '>') return;
      const name = this.#until((at) => isSpace(html, at) || html[at] === '=' || html[at] === '>' || html[at] === '/');
      while (isSpace(html, this.at)) this.at++;
      if (html[this.at] !== '=') {
        yield [name, ''];
        continue;
      }
      this.at++;
      while (isSpace(html, this.at)) this.at++;
      yield [name, this.#value()];
    }
  }

  #value(): string {
    const quote = this.html.charAt(this.at);
    if (quote !== '"' && quote !== "'") {
      return this.#until((at) => isSpace(this.html, at) || this.html[at] === '>');
    }
    const begin = this.at + 1;
    this.at = after(this.html, quote, begin);
    return this.html.slice(begin, Math.max(begin, this.at - 1));
  }

  #until(isEnd: (at: number) => boolean): string {
    const begin = this.at;
    while (this.at < this.html.length && !isEnd(this.at)) this.at++;
    return this.html.slice(begin, this.at);
  }
}

function isSpace(html: string, at: number): boolean {
  const code = html.charCodeAt(at);
  return code === 32 || (code >= 9 && code <= 13);
}

/** The offset after the next occurrence, or the end of the page. */
function after(html: string, what: string, from: number): number {
  const found = html.indexOf(what, from);
  return found < 0 ? html.length : found + what.length;
}
