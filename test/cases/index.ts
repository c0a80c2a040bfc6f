/** Every loss with its cases, family by family. */
import type { Loss } from './case';
import * as classification from './classification';
import * as distribution from './distribution';
import * as embedding from './embedding';
import * as linear from './linear-cross-entropy';
import * as margin from './margin';
import * as regression from './regression';
import * as sequence from './sequence';

export { type CaseOptions, type ErrorCase, gradientsOf, type Loss, type LossCase, type LossName } from './case';

/** All losses that have cases. */
export const losses: readonly Loss[] = [
  classification,
  regression,
  distribution,
  margin,
  embedding,
  sequence,
  linear,
].flatMap((family) => Object.values<Loss>(family));
