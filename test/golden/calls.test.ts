/** Functions that are not losses, and not operators, against what PyTorch answered. */
import { judgeFor, thisHost } from '../../lib/parity/judge';
import { readManifest, vectors } from '../../lib/parity/vectors';
import { defineCallTests } from '../support/calls';

const judge = judgeFor(readManifest(vectors), thisHost());

describe.each(['functional', 'init', 'utils', 'rnn', 'torch'])('%s', (area) => defineCallTests(area, judge));
