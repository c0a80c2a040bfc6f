// Failures that are known.

/** It cannot begin: the arguments are not understood, or what they name is not there. */
export class UsageError extends Error {}
