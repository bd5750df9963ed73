export { seededRandom } from '../src/evaluation/seeded-random.ts';
