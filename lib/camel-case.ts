/**
 * Names of PyTorch in this package: `start_dim` is `startDim`; underscores at the ends stay, as in `add_` and
 * `_foreach_add`. `scripts/setup/schemas.mjs` says the same for what is generated before this is compiled; a contract
 * test compares them.
 */
export function camelCase(name: string): string {
  return name.replace(/(?<=[a-zA-Z0-9])_([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
