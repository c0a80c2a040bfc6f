// The readable summary, in Markdown.

/** Details of a failure are cut to so many lines. */
const shownLines = 12;

/** `{ text, passed }` of all findings. A part that did not finish counts as a failed check. */
export function summaryOf(found) {
  const results = Object.values(found.parts);
  const verdicts = results.flatMap(({ checks, failure }) => [
    ...checks.map(({ passed }) => passed),
    ...(failure === undefined ? [] : [false]),
  ]);
  const good = verdicts.filter(Boolean).length;
  const passed = good === verdicts.length;
  const heading = `# cuda-check: ${passed ? '✔' : '✘'} ${good} of ${verdicts.length} checks passed`;
  const sections = Object.entries(found.parts).flatMap(([name, part]) => sectionOf(name, part));
  const text = [heading, '', ...introduction(found), ...sections, ...remaining(found)].join('\n');
  return { text: `${text}\n`, passed };
}

function introduction({ machine, nvidia, gpu, libtorch, python, version, quick, seconds, command, build }) {
  const memory = `${(machine.memory / 2 ** 30).toFixed(0)} GiB`;
  const gpus = nvidia.gpus?.map(
    (one) =>
      `${one.name}, ${one['memory.total']}, driver ${one.driver_version}, PCIe ${one['pcie.link.gen.max'] ?? '?'} x${one['pcie.link.width.max'] ?? '?'}`,
  );
  return [
    ...(gpu.devices > 0 ? [] : [`**There is no GPU to be used:** ${gpu.why}. Everything below ran on the CPU.`, '']),
    ...table(
      ['', ''],
      [
        ['date', machine.date],
        ['command', `\`${command}\`${quick ? ' (quick: to see that it runs, not to quote)' : ''}`],
        ['GPUs', gpu.devices > 0 ? (gpus?.join('; ') ?? nvidia.unavailable) : 'none'],
        ['machine', `${machine.processors} × ${machine.processor}, ${memory}, ${machine.platform}`],
        [
          'versions',
          `libtorch-losses ${version}, libtorch ${libtorch.version} (${libtorch.flavour}), Node ${machine.node}`,
        ],
        ['Python', python.command ? `PyTorch ${python.version}, CUDA ${python.cuda ?? 'none'}` : python.unavailable],
        ['build', `${build.result}, ${build.seconds.toFixed(0)} s`],
        ['time', `${(seconds / 60).toFixed(1)} min`],
      ],
    ),
  ];
}

function sectionOf(name, { title, checks, tables, failure }) {
  const lines = checks.map(
    ({ name: what, passed, detail }) => `- ${passed ? '✔' : '✘'} ${what}${detailOf(detail, passed)}`,
  );
  const broken = failure === undefined ? [] : [`- ✘ ${failureText(failure)}`];
  const blocks = tables.flatMap(({ title: own, heading, rows }) => ['', `**${own}**`, '', ...table(heading, rows)]);
  const nothing = lines.length + broken.length + tables.length === 0 ? ['Nothing of it was run.'] : [];
  return ['', `## ${title} (${name})`, '', ...lines, ...broken, ...nothing, ...blocks];
}

function detailOf(detail, passed) {
  if (detail === undefined || detail === '') return '';
  const lines = detail.split('\n');
  if (lines.length === 1) return `: ${detail}`;
  const shown = lines.slice(0, shownLines);
  if (lines.length > shownLines) shown.push(`… ${lines.length - shownLines} more lines, in cuda-check.json`);
  return `:\n${shown.map((line) => (passed ? `  - ${line}` : `      ${line}`)).join('\n')}`;
}

function failureText({ how, place, output }) {
  return `${how} while: ${place}${
    output === ''
      ? ''
      : `\n${output
          .split('\n')
          .slice(-shownLines)
          .map((line) => `      ${line}`)
          .join('\n')}`
  }`;
}

function remaining({ parts }) {
  const left = Object.values(parts).flatMap(({ notRun }) => notRun);
  if (left.length === 0) return [];
  return ['', '## Not run', '', ...left.map(({ name, why }) => `- ${name}: ${why}`)];
}

function table(heading, rows) {
  const line = (cells) => `| ${cells.map((cell) => String(cell ?? '–').replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(heading), line(heading.map(() => '---')), ...rows.map(line)];
}
