/** Text for the terminal: of unknown origin, and in columns. */

/** Control characters, those that change the direction of text, line separators, and halves of surrogate pairs. */
const unprintable = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * The text with control and bidi characters as escapes: `\x1b`, `\u202e`. File names, names of arrays and versions go
 * through it before they are printed: they could clear the screen, forge a line or show another name. A line feed is
 * escaped, too, so that a name stays on its line.
 */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => {
    const code = character.charCodeAt(0);
    // Above ASCII's first 32 in the form of JSON, whose strings may hold those characters as they are.
    return code < 0x20 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** The same for text of several lines: line feeds stay. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** Lines with columns as wide as their widest cell: the first `left` of them aligned left, the others right. */
export function aligned(rows: readonly (readonly string[])[], left: number): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    rows.reduce((widest, row) => Math.max(widest, (row[column] ?? '').length), 0),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => (column < left ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
