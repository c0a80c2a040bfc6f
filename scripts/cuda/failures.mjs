// Failures that are known.

/** It cannot start: the arguments are not understood, or name something that does not exist. */
export class UsageError extends Error {}
