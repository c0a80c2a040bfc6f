/** What an evaluation found as a JSON document. */
import type { EvaluationResult } from '../evaluate/result';
import type { EvaluationFacts } from './evaluate-facts';

/** A value as JSON has it. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/**
 * The result, and the facts as its `run`, for `JSON.stringify`. JSON has no numbers for them, so that NaN and the
 * infinities are the strings `"NaN"`, `"Infinity"` and `"-Infinity"`; `Number()` makes them numbers again. What the
 * result does not have is absent.
 */
export function evaluateJson(result: EvaluationResult, facts: EvaluationFacts): Readonly<Record<string, JsonValue>> {
  return jsonOf({ ...result, run: facts }) as Readonly<Record<string, JsonValue>>;
}

function jsonOf(value: unknown): JsonValue {
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (Array.isArray(value)) return value.map(jsonOf);
  if (typeof value !== 'object' || value === null) return value as JsonValue;
  const entries = Object.entries(value).filter(([, own]) => own !== undefined);
  return Object.fromEntries(entries.map(([key, own]) => [key, jsonOf(own)]));
}
