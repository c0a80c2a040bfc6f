// Names of PyTorch in this package, as lib/camel-case.ts has them for what runs after the build.
/** `start_dim` as `startDim`; underscores at the ends stay. */
export function camelCase(name) {
  return name.replace(/(?<=[a-zA-Z0-9])_([a-zA-Z0-9])/g, (_, letter) => letter.toUpperCase());
}
