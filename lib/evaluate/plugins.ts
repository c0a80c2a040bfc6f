/** Losses of users, from modules that are named on the command line. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expected, show, TorchError } from '../errors';
import { declarationOf } from '../nn/losses/declare';
import { descriptionOf, type LossDescription, lossNames } from './losses';

const op = 'evaluate';
const flag = "'--plugin'";

/**
 * The losses that modules export, by any name or as the default, alone or in arrays.
 *
 * @throws TorchError `INVALID_ARGUMENT` for a file that does not exist, throws when it is imported, or exports no loss, and
 *   for a loss whose name is taken.
 */
export async function loadPlugins(files: readonly string[]): Promise<LossDescription[]> {
  const found = new Map<string, LossDescription>();
  for (const file of files) {
    for (const description of await loadPlugin(file)) {
      const { name } = description;
      const isTaken = lossNames.includes(name) || (found.has(name) && found.get(name)?.loss !== description.loss);
      if (isTaken)
        throw expected(op, flag, 'to give its losses names of their own', `a second ${name}, in ${show(file)}`);
      found.set(name, description);
    }
  }
  return [...found.values()];
}

async function loadPlugin(file: string): Promise<LossDescription[]> {
  const path = resolve(file);
  if (!existsSync(path)) throw expected(op, flag, 'to be a file that exists', show(file));
  let module: Record<string, unknown>;
  try {
    module = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (cause) {
    const { message } = expected(op, flag, 'to be a module that can be imported', `${show(file)}: ${String(cause)}`);
    throw new TorchError('INVALID_ARGUMENT', message, { op, argument: '--plugin', cause });
  }
  const losses = new Set([module, module.default].flatMap((exported) => lossesIn(exported)));
  if (losses.size > 0) return [...losses].map((loss) => descriptionOf(loss) as LossDescription);
  const names = Object.keys(module).join(', ') || 'nothing';
  const what = 'to export losses that defineLoss of this copy of libtorch-losses made';
  throw expected(op, flag, what, `${show(file)}, which exports ${names}`);
}

/** A loss itself, or those in an array or among the properties of an object. */
function lossesIn(exported: unknown): unknown[] {
  if (declarationOf(exported) !== undefined) return [exported];
  if (typeof exported !== 'object' || exported === null) return [];
  return Object.values(exported).filter((value) => declarationOf(value) !== undefined);
}
