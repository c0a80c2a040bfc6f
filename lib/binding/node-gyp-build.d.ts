declare module 'node-gyp-build' {
  /** The addon for this platform in `<root>/prebuilds`. @throws Error if there is none. */
  export function path(root: string): string;
}
