// Choices that are the same for the same seed (mulberry32), for the fuzzers.

exports.choices = (seed) => {
  let state = Number(seed) | 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), 61 | bits);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n) => Math.floor(uniform() * n);
  const pick = (list) => list[below(list.length)];
  const chance = (p) => uniform() < p;
  const listOf = (make, most = 4) => Array.from({ length: below(most + 1) }, make);
  return { uniform, below, pick, chance, listOf };
};
