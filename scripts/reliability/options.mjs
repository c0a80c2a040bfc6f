/** The whole number that an option gives, at least 1. */
export function wholeNumber(name, text) {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new RangeError(`--${name}: expected an integer >= 1, but received ${JSON.stringify(text)}`);
}
