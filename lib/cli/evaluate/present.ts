/** How a result is printed: as a table, as JSON, or as the loss alone. */
import type { EvaluationResult } from '../../evaluate/result';
import type { Report } from '../shared/report';
import { printable } from '../shared/text';
import { type EvaluationFacts, evaluateJson } from './facts';
import { evaluateTable } from './table';

/** What was asked for, and what was written besides. */
export interface Presentation {
  readonly json: boolean;
  readonly quiet: boolean;
  /** The path of the page. */
  readonly page: string | undefined;
  /** The path of the state. */
  readonly state?: string | undefined;
}

/** Prints a result. */
export function present(
  report: Report,
  result: EvaluationResult,
  facts: EvaluationFacts,
  { json, quiet, page, state }: Presentation,
): void {
  if (json) report.line(JSON.stringify(evaluateJson(result, facts), null, 2));
  else if (quiet) report.line(String(result.loss));
  else {
    report.line(evaluateTable(result, facts));
    if (page !== undefined) report.line(`The page is ${printable(page)}`);
    if (state !== undefined) report.line(`The state is ${printable(state)}`);
  }
}
