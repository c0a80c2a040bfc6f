/**
 * Collects young objects: V8's scavenge, a fraction of a millisecond. To V8 a small tensor is an object of a few words, so
 * it would wait until some hundred thousand were dropped, and would then look through the whole heap.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { type: 'minor' }) => void;

let collect: Collect | undefined;

/** Collects young objects; where V8 offers no way to ask for it, nothing happens. */
export function collectYoung(): void {
  collect ??= find();
  collect({ type: 'minor' });
}

/** V8's own function, which contexts have that are made while a flag is set. Node lets flags be set at any time. */
function find(): Collect {
  const none: Collect = () => undefined;
  // V8 may have frozen its flags there, and would end the process.
  if (process.versions.electron !== undefined) return none;
  try {
    const isSet = runInNewContext("typeof gc === 'function'") as boolean;
    if (!isSet) setFlagsFromString('--expose-gc');
    const gc = runInNewContext("typeof gc === 'function' ? gc : undefined") as Collect | undefined;
    if (!isSet) setFlagsFromString('--no-expose-gc');
    return gc ?? none;
  } catch {
    return none;
  }
}
