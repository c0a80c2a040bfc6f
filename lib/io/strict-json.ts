/** JSON, held to what the .safetensors format asks for beyond it. */

/**
 * The value of a text in JSON. Unlike `JSON.parse`, it refuses what other readers of the same text could understand in
 * another way: a key that an object has twice, an integer that is written as a fraction or with an exponent, and halves
 * of surrogate pairs.
 *
 * @throws SyntaxError
 */
export function parseStrictJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  // It is JSON: tokens are all there is to look at, and a string that stands before a colon is a key.
  const objects: (Set<string> | undefined)[] = [];
  const tokens = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]|-?\d[\d.eE+-]*/g;
  for (const [token, colon] of text.matchAll(tokens)) {
    if (token === '{') objects.push(new Set());
    else if (token === '[') objects.push(undefined);
    else if (token === '}' || token === ']') objects.pop();
    else if (token.startsWith('"')) checkString(token, colon, objects.at(-1));
    else if (!/^(?:0|-?[1-9]\d*)$/.test(token)) throw new SyntaxError(`the number ${token} is not a plain integer`);
  }
  return value;
}

function checkString(token: string, colon: string | undefined, keys: Set<string> | undefined): void {
  const string = JSON.parse(colon === undefined ? token : token.slice(0, -colon.length)) as string;
  if (/\p{Cs}/u.test(string)) throw new SyntaxError('a string has half of a surrogate pair');
  if (colon === undefined || keys === undefined) return;
  if (keys.has(string)) throw new SyntaxError(`the key ${JSON.stringify(string)} is there twice`);
  keys.add(string);
}
