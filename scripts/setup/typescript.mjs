// Compiles lib/ to dist/ and examples/ to build/examples/.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow, hashFiles, isStamped, stamp } from './stamps.mjs';
import { run } from './steps.mjs';

/** What every compilation depends on, besides its sources. */
const common = ['tsconfig.json', 'package-lock.json'];

/** lib/ -> dist/. */
export function compileLibrary(context) {
  const inputs = filesIn(context.root, 'lib');
  return compile(context, { project: 'tsconfig.build.json', source: 'lib', output: 'dist', inputs });
}

/** examples/ -> build/examples/; they see the library through its declarations in dist/. */
export function compileExamples(context) {
  const inputs = [...filesIn(context.root, 'examples'), ...filesIn(context.root, 'lib')];
  return compile(context, { project: 'tsconfig.examples.json', source: 'examples', output: 'build/examples', inputs });
}

function filesIn(root, directory) {
  return filesBelow(join(root, directory))
    .filter((file) => /\.(ts|json)$/.test(file))
    .map((file) => `${directory}/${file}`);
}

async function compile({ root, force, announce }, { project, source, output, inputs }) {
  const sources = inputs.filter((file) => file.startsWith(`${source}/`) && /(?<!\.d)\.ts$/.test(file));
  const stems = new Set(sources.map((file) => file.slice(source.length + 1, -'.ts'.length)));
  const isWhole = [...stems].every((stem) => existsSync(join(root, output, `${stem}.js`)));
  const hash = hashFiles(root, [...inputs, ...common, project]);
  const stampName = project.replace(/\.json$/, '');
  if (!force && isWhole && isStamped(root, stampName, hash)) return undefined;
  announce(`compiling ${source}/ …`);
  await run(process.execPath, [join('node_modules', 'typescript', 'bin', 'tsc'), '-p', project], { cwd: root });
  removeLeftovers(join(root, output), stems);
  stamp(root, stampName, hash);
  return `${sources.length} files compiled to ${output}/`;
}

/** Compiled files whose source is gone would still be found by `require`. */
function removeLeftovers(output, stems) {
  for (const file of filesBelow(output)) {
    const stem = /^(.*?)(\.d\.ts|\.js)(\.map)?$/.exec(file)?.[1];
    if (stem !== undefined && !stems.has(stem)) rmSync(join(output, file));
  }
}
