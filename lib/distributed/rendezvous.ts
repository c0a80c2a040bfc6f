/** Where the processes of the default group meet, as Python's `torch.distributed.rendezvous` has it. */
import { fileURLToPath } from 'node:url';
import { expected, show, TorchError } from '../errors';
import { FileStore, type Store, TCPStore } from './stores';

const op = 'initProcessGroup';

/** Who this process is, and the store through which it finds the others. */
export interface Meeting {
  readonly rank: number;
  readonly worldSize: number;
  /** Connects at the call, so that every other argument is checked before. */
  readonly openStore: () => Store;
}

/** What was given by name; `undefined` for what is to be found elsewhere. */
export interface Given {
  readonly rank: number | undefined;
  readonly worldSize: number | undefined;
  readonly timeout: number;
}

/** The meeting that an `initMethod` names: `env://`, `tcp://host:port` or `file:///path`. */
export function meetBy(initMethod: string, given: Given): Meeting {
  const url = parseUrl(initMethod);
  const numberOf = (name: string): number | undefined => {
    const text = url.searchParams.get(name);
    return text === null ? undefined : count(`'${name}' of option 'initMethod'`, text);
  };
  const rank = given.rank ?? numberOf('rank');
  const worldSize = given.worldSize ?? numberOf('world_size');
  switch (url.protocol) {
    case 'env:':
      return meetByEnvironment({ ...given, rank, worldSize });
    case 'tcp:': {
      if (url.port === '' || url.hostname === '') throw badUrl(initMethod, 'tcp://host:port');
      const who = bothGiven(rank, worldSize);
      return {
        ...who,
        openStore: () => openTcpStore(url.hostname.replace(/^\[|\]$/g, ''), Number(url.port), who, given.timeout),
      };
    }
    case 'file:': {
      const path = pathOf(url, initMethod);
      const who = bothGiven(rank, worldSize);
      return { ...who, openStore: () => new FileStore(path, who.worldSize) };
    }
    default:
      throw badUrl(initMethod, "'env://', 'tcp://host:port' or 'file:///path'");
  }
}

/** By the variables that torchrun sets. */
function meetByEnvironment({ rank, worldSize, timeout }: Given): Meeting {
  const who = bothGiven(
    rank ?? count('the environment variable RANK', variable('RANK')),
    worldSize ?? count('the environment variable WORLD_SIZE', variable('WORLD_SIZE')),
  );
  const host = variable('MASTER_ADDR');
  const port = count('the environment variable MASTER_PORT', variable('MASTER_PORT'));
  if (port > 65_535) throw expected(op, 'the environment variable MASTER_PORT', 'to be in [0, 65535]', String(port));
  return { ...who, openStore: () => openTcpStore(host, port, who, timeout) };
}

/**
 * The store at an address. Under torchrun its agent serves it, and every rank is a client; otherwise rank 0 serves it.
 */
function openTcpStore(
  host: string,
  port: number,
  { rank, worldSize }: { rank: number; worldSize: number },
  timeout: number,
): Store {
  const usesAgent = process.env.TORCHELASTIC_USE_AGENT_STORE === 'True';
  const isMaster = !usesAgent && rank === 0;
  return new TCPStore(host, port, { worldSize, isMaster, timeout, multiTenant: !usesAgent });
}

function variable(name: string): string {
  const value = process.env[name];
  if (value !== undefined && value !== '') return value;
  throw new TorchError(
    'INVALID_ARGUMENT',
    `${op}: expected the environment variable ${name} to be set, as torchrun does, but received none; start this ` +
      "program with 'torchrun --no-python node …', set RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT, or pass " +
      "{ initMethod: 'tcp://host:port', rank, worldSize }",
    { op, argument: name },
  );
}

/** A number that was written as a text. */
function count(what: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw expected(op, what, 'to be an integer', show(text));
}

function bothGiven(rank: number | undefined, worldSize: number | undefined): { rank: number; worldSize: number } {
  if (rank === undefined) throw expected(op, "option 'rank'", 'to be given', 'none');
  if (worldSize === undefined) throw expected(op, "option 'worldSize'", 'to be given', 'none');
  return { rank, worldSize };
}

function parseUrl(initMethod: string): URL {
  try {
    return new URL(initMethod);
  } catch {
    throw badUrl(initMethod, "'env://', 'tcp://host:port' or 'file:///path'");
  }
}

function pathOf(url: URL, initMethod: string): string {
  try {
    const path = fileURLToPath(new URL(`file://${url.host}${url.pathname}`));
    if (path !== '/') return path;
  } catch {
    // A host, or characters that no path has.
  }
  throw badUrl(initMethod, "'file:///path'");
}

function badUrl(initMethod: string, forms: string): TorchError {
  return expected(op, "option 'initMethod'", `to be ${forms}`, show(initMethod));
}
