/** Every loss with its cases, family by family. */
import type { Loss } from './case';
import * as classification from './classification';
import * as distribution from './distribution';

export { type CaseOptions, type ErrorCase, gradientsOf, type Loss, type LossCase, type LossName } from './case';

/** All losses that have cases. */
export const losses: readonly Loss[] = [...Object.values(classification), ...Object.values(distribution)];
