// The steps in order, and their output.
import { fileURLToPath } from 'node:url';
import { declareOperators } from './declarations.mjs';
import { buildAddon, findLibtorch } from './libtorch.mjs';
import { installPackages, packagesNote } from './packages.mjs';
import { runSteps } from './steps.mjs';
import { compileExamples, compileLibrary } from './typescript.mjs';

const oldestNode = [20, 17];

/**
 * Brings the checkout at `root` up to date; returns the exit status. `force` builds TypeScript and addon again.
 *
 * A step is `{ name, run(context) }`. `run` returns a short description of what it did, or nothing if all was up to
 * date; it may leave notes for later steps in the context.
 */
export async function setUp(root, { force }) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1])) {
    console.error(`Node.js ${oldestNode.join('.')} or newer is needed, but this is ${process.versions.node}`);
    return 1;
  }
  const context = { root: fileURLToPath(root), force, summary: [] };
  return runSteps(context, [
    { name: 'npm ci', run: installPackages, help: packagesNote },
    { name: 'types of operators', run: declareOperators },
    { name: 'TypeScript', run: compileLibrary },
    { name: 'examples', run: compileExamples },
    { name: 'libtorch', run: findLibtorch },
    { name: 'native addon', run: buildAddon },
  ]);
}
