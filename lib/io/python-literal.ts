/**
 * Python literals as they stand in the headers of .npy files: dictionaries, tuples, lists, strings, integers, `True`,
 * `False` and `None`. Nothing is evaluated.
 */

/** A literal. Integers are bigint, tuples and lists arrays (see `isTuple`), dictionaries maps with string keys. */
export type PythonLiteral = string | bigint | boolean | null | PythonLiteral[] | Map<string, PythonLiteral>;

/** Where a text stops being a literal, and why. */
export class LiteralError extends Error {
  readonly position: number;

  constructor(position: number, reason: string) {
    super(reason);
    this.position = position;
  }
}

/** Deeper nesting than any dtype has. */
const maxDepth = 16;

/**
 * The value of a text that is one literal, with nothing but white space around it. `longs` says whether integers may end
 * in an L, as Python 2 wrote them.
 *
 * @throws LiteralError with the position in the text.
 */
export function parsePythonLiteral(text: string, longs: boolean): PythonLiteral {
  // Python would take a line that is indented for a part of another one.
  const indented = /^\s*\n[ \t]+(?=\S)/.exec(text);
  if (indented !== null) throw new LiteralError(indented[0].length, 'an indent stands before the literal');
  const parser = new Parser(text, longs);
  const value = parser.value(0);
  parser.end();
  return value;
}

const tuples = new WeakSet<object>();

/** Whether a literal is a tuple, not a list. */
export function isTuple(value: PythonLiteral | undefined): value is PythonLiteral[] {
  return Array.isArray(value) && tuples.has(value);
}

const words: ReadonlyMap<string, boolean | null> = new Map([
  ['True', true],
  ['False', false],
  ['None', null],
]);

const escapes: Readonly<Record<string, string>> = { '\\': '\\', "'": "'", '"': '"', n: '\n', r: '\r', t: '\t' };

class Parser {
  readonly #text: string;
  readonly #longs: boolean;
  #at = 0;

  constructor(text: string, longs: boolean) {
    this.#text = text;
    this.#longs = longs;
  }

  value(depth: number): PythonLiteral {
    if (depth > maxDepth) throw this.#error(`is nested deeper than ${maxDepth} levels`);
    const next = this.#peek();
    if (next === '{') return this.#dictionary(depth);
    if (next === '(') return this.#tuple(depth);
    if (next === '[') return this.#items(']', depth).items;
    if (next === "'" || next === '"') return this.#string(next);
    return this.#word();
  }

  end(): void {
    if (this.#peek() !== '') throw this.#error('more text follows the literal');
  }

  #dictionary(depth: number): Map<string, PythonLiteral> {
    const entries = new Map<string, PythonLiteral>();
    this.#take('{');
    while (this.#peek() !== '}') {
      const start = this.#at;
      const key = this.value(depth + 1);
      if (typeof key !== 'string') throw new LiteralError(start, 'a key of the dictionary is not a string');
      if (entries.has(key)) throw new LiteralError(start, `the key ${JSON.stringify(key)} is there twice`);
      this.#take(':');
      entries.set(key, this.value(depth + 1));
      if (this.#peek() !== '}') this.#take(',');
    }
    this.#take('}');
    return entries;
  }

  /** `(x)` is x in parentheses, `(x,)` a tuple. */
  #tuple(depth: number): PythonLiteral {
    const { items, comma } = this.#items(')', depth);
    if (items.length === 1 && !comma) return items[0] as PythonLiteral;
    tuples.add(items);
    return items;
  }

  #items(close: string, depth: number): { items: PythonLiteral[]; comma: boolean } {
    const items: PythonLiteral[] = [];
    let comma = false;
    this.#at++;
    while (this.#peek() !== close) {
      items.push(this.value(depth + 1));
      comma = this.#peek() === ',';
      if (this.#peek() !== close) this.#take(',');
    }
    this.#take(close);
    return { items, comma };
  }

  #string(quote: string): string {
    const start = this.#at++;
    let value = '';
    for (;;) {
      const next = this.#text[this.#at++];
      if (next === quote) return value;
      if (next === undefined || next === '\n') throw new LiteralError(start, 'a string does not end');
      if (next !== '\\') value += next;
      else {
        const escaped = escapes[this.#text[this.#at++] ?? ''];
        if (escaped === undefined) throw new LiteralError(this.#at - 2, 'an escape in a string is not known');
        value += escaped;
      }
    }
  }

  /** An integer (Python 2 wrote an L behind long ones) or one of the words. */
  #word(): PythonLiteral {
    const pattern = /-?(?:0+|[1-9]\d*)L?(?![\w.])|[A-Za-z]+(?!\w)/y;
    pattern.lastIndex = this.#at;
    const word = pattern.exec(this.#text)?.[0];
    const value = word === undefined ? undefined : words.get(word);
    const isLong = word?.endsWith('L') === true && !this.#longs;
    if (word === undefined || isLong || (value === undefined && !/\d/.test(word)))
      throw this.#error('is not a literal of Python');
    this.#at += word.length;
    return value === undefined ? BigInt(word.replace('L', '')) : value;
  }

  /** The next character that is not white space; empty at the end. */
  #peek(): string {
    while (/^[ \t\r\n\f]$/.test(this.#text[this.#at] ?? '')) this.#at++;
    return this.#text[this.#at] ?? '';
  }

  #take(wanted: string): void {
    const found = this.#peek();
    if (found !== wanted)
      throw this.#error(
        `expected ${JSON.stringify(wanted)}, but received ${found === '' ? 'nothing' : JSON.stringify(found)}`,
      );
    this.#at++;
  }

  #error(reason: string): LiteralError {
    return new LiteralError(this.#at, reason);
  }
}
