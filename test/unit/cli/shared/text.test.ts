/** What the command line shows of names that it did not choose. */
import { printable, printableLines } from '../../../../lib/cli/shared/text';

test.each([
  ['an escape sequence', 'a\u001b[2Jb', 'a\\x1b[2Jb'],
  ['a line feed and a carriage return', 'a\nb\rc', 'a\\x0ab\\x0dc'],
  ['NUL, BEL and DEL', '\0\u0007\u007f', '\\x00\\x07\\u007f'],
  ['a control sequence of one character', '\u009b31m', '\\u009b31m'],
  ['text turned around', 'gpj\u202egnp.exe', 'gpj\\u202egnp.exe'],
  ['isolates and marks', '\u2066\u2069\u200e\u200f\u061c', '\\u2066\\u2069\\u200e\\u200f\\u061c'],
  ['line and paragraph separators', 'a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
  ['half of a surrogate pair', 'a\ud800b', 'a\\ud800b'],
])('%s', (_, text, shown) => {
  expect(printable(text)).toBe(shown);
});

test.each(['', 'plain.npy', 'Übung – 数据 ✔ 😀', 'C:\\data\\x.npy', 'می‌خواهم'])('%j stays as it is', (text) => {
  expect(printable(text)).toBe(text);
});

test('the lines of a text stay lines', () => {
  expect(printableLines('a\u001b\n b\r\n')).toBe('a\\x1b\n b\\x0d\n');
});

test('a JSON document means the same after it', () => {
  const value = { '\u001b\n': ['\u007f\u009b', '\u202e', '\u2028', 'ä'] };
  expect(JSON.parse(printableLines(JSON.stringify(value, null, 2)))).toEqual(value);
});
