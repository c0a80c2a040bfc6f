/** `libtorch-losses merge`: one result of the parts of an evaluation. */
import { expected } from '../../errors';
import { resolveSpec } from '../../evaluate/files/spec';
import { mergeShards } from '../../evaluate/merge';
import { readShardText } from '../../evaluate/shard-state';
import { Outputs } from '../../output/outputs';
import { type CommandContext, parseArguments } from '../shared/command';
import { mergedFacts, typed } from './facts';
import { evaluatePage } from './page';
import { present } from './present';

const usage = `Usage: libtorch-losses merge <state> … [options]

Makes one result of the files that 'evaluate --shard … --state <file>' has written, one for each shard, with the bits of
an evaluation in one process. The files, or a quoted pattern ('parts/*.json'), may come in any order. A shard that is
missing or there twice, a damaged file, and evaluations of other data, options or versions are refused by name.

Options:
  --report <file>        writes a page with charts
  --json                 prints one JSON document
  --quiet                prints the loss alone
  --help                 this text

Exit status: 0, 1 for files that cannot be merged, 2 if the arguments are not understood.

Example:
  libtorch-losses merge 'parts/*.json' --report report.html`;

const flags = {
  report: { type: 'string' },
  json: { type: 'boolean' },
  quiet: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const op = 'merge';

/**
 * Runs `libtorch-losses merge` with the arguments after `merge`.
 *
 * @returns the exit status.
 */
export async function merge(args: readonly string[], { report, signal }: CommandContext): Promise<number> {
  const { values, positionals } = parseArguments(op, args, { options: flags, allowPositionals: true });
  const { json = false, quiet = false } = values;
  if (values.help) {
    report.line(usage);
    return 0;
  }
  if (positionals.length === 0)
    throw expected(op, 'the arguments', 'to be files that evaluate --state has written', 'none');
  const paths = (await Promise.all(positionals.map(resolveSpec))).flat().map(({ path }) => path);
  const outputs = new Outputs(op);
  try {
    for (const path of paths) outputs.protect(path);
    const page = values.report === undefined ? undefined : outputs.open("'--report'", values.report);
    const { result, facts: found } = mergedFacts(mergeShards(paths.map((path) => [path, readShardText(path)])));
    const facts = { ...found, ...typed(op, args) };
    page?.write(Buffer.from(evaluatePage(result, facts)), 0);
    signal.throwIfAborted();
    outputs.finish();
    present(report, result, facts, { json, quiet, page: values.report });
    return 0;
  } finally {
    outputs.discard();
  }
}
