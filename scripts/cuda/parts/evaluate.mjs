import { done } from '../part.mjs';

done();
