import { describe, expect, it } from 'vitest';
import {
  type Address,
  COLOURINGS,
  EMPTY_ADDRESS,
  formatAddress,
  isStep,
  PANELS,
  readAddress,
} from '../../src/dashboard/address.ts';
import { seededRandom } from '../seeded.ts';

const random = seededRandom(11);
const pick = <Value>(values: readonly Value[]): Value => values[Math.floor(random() * values.length)]!;
const uuid = (): string =>
  '0199c2a5-7f00-7000-8000-000000000000'.replaceAll('0', () => Math.floor(random() * 16).toString(16));
const maybe = <Value>(value: Value): Value | null => (random() < 0.5 ? value : null);

function anyAddress(): Address {
  return {
    map: maybe({
      zoom: Number((random() * 24).toFixed(2)),
      latitude: Number((random() * 180 - 90).toFixed(6)),
      longitude: Number((random() * 360 - 180).toFixed(6)),
    }),
    filter: pick([{}, { promptContains: 'a & b=c #?' }, { areaM2: { min: 10 }, review: ['ACCEPTED'] }]),
    view: maybe('large-fields'),
    order: { by: pick(['AREA', 'PROBABILITY', 'CREATED']), direction: pick(['ASC', 'DESC']) },
    prompts: pick([[], ['water'], ['where would “ducks” land?', 'a+b', 'ü']]),
    hidden: pick([[], ['A'], ['B', 'L']]),
    feature: maybe(uuid()),
    run: maybe(uuid()),
    panel: pick(PANELS),
    change: maybe([uuid(), uuid()] as const),
    swipe: maybe(Math.round(random() * 100) / 100),
    colouring: pick(COLOURINGS),
    opacity: Math.round(random() * 20) / 20,
  };
}

describe('the address of the page', () => {
  it('holds everything that it was made of', () => {
    for (let round = 0; round < 500; round++) {
      const address = anyAddress();
      expect(readAddress(formatAddress(address))).toEqual({ address, unknown: [] });
    }
  });

  it('is empty where everything has its default', () => {
    expect(formatAddress(EMPTY_ADDRESS)).toBe('');
    expect(readAddress('')).toEqual({ address: EMPTY_ADDRESS, unknown: [] });
  });

  it.each([
    ['map', '?map=30/0/0'],
    ['map', '?map=1/2'],
    ['filter', '?filter={'],
    ['filter', '?filter=[]'],
    ['order', '?order=AREA.UP'],
    ['order', '?order=WEIGHT.ASC'],
    ['hide', '?hide=a,b'],
    ['f', '?f=nonsense'],
    ['panel', '?panel=kitchen'],
    ['change', '?change=1,2'],
    ['swipe', '?swipe=2'],
    ['opacity', '?opacity='],
    ['colour', '?colour=red'],
    ['view', '?view=A B'],
  ])('has the default and a notice where %s is not understood: %s', (name, search) => {
    expect(readAddress(search)).toEqual({ address: EMPTY_ADDRESS, unknown: [name] });
  });

  it('makes a step that Back undoes of a filter, a view, a panel and a comparison, and of nothing else', () => {
    const step = (change: Partial<Address>): boolean => isStep(EMPTY_ADDRESS, { ...EMPTY_ADDRESS, ...change });
    expect([
      step({ filter: { prompt: 'a' } }),
      step({ view: 'a' }),
      step({ panel: 'list' }),
      step({ change: ['a', 'b'] }),
    ]).toEqual([true, true, true, true]);
    expect([
      step({ feature: uuid() }),
      step({ opacity: 0.5 }),
      step({ map: { zoom: 1, latitude: 2, longitude: 3 } }),
    ]).toEqual([false, false, false]);
  });
});
