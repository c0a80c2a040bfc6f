// How an operator is called, as TypeScript writes it.
import { optional, reserved } from './schemas.mjs';

/** Up to how many arguments each number of positional ones has a signature of its own: of operators, of `torch.nn`. */
const longestOperator = 5;
export const longestOfNn = 12;

/** Call signatures: everything positional, or from some place on as keywords. */
export function signatures({ all, result }, longest = longestOperator) {
  const positional = all.filter(({ isKeywordOnly }) => !isKeywordOnly);
  const keywordOnly = all.filter(({ isKeywordOnly }) => isKeywordOnly);
  // In a few schemas, parameters without a default follow those with one.
  const required = positional.findLastIndex(({ isOptional }) => !isOptional) + 1;
  const lines = [];
  for (let count = positional.length; count >= 0; count--) {
    // Of long lists the ends only: all by position, what is required, the first, nothing.
    const isEnd = [positional.length, required, 1, 0].includes(count);
    if (!isEnd && positional.length > longest) continue;
    const given = positional.slice(0, count).map(({ name, type, isOptional }, i) => {
      const safe = reserved.has(name) ? `${name}_` : name;
      return isOptional && i >= required && count === positional.length
        ? `${safe}?: ${optional(type)}`
        : `${safe}: ${isOptional ? optional(type) : type}`;
    });
    const rest = [...positional.slice(count), ...keywordOnly];
    const isNeeded = rest.some(({ isOptional }) => !isOptional) && given.every((text) => !text.includes('?: '));
    const keywords = rest.map(
      ({ name, type, isOptional }) => `${name}${isOptional ? '?' : ''}: ${isOptional ? optional(type) : type}`,
    );
    if (rest.length > 0) given.push(`keywords${isNeeded ? '' : '?'}: { ${keywords.join('; ')} }`);
    lines.push(`(${given.join(', ')}): ${result};`);
  }
  return lines;
}
