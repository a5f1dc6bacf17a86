/**
 * Bitstring status lists, read and written by vc-bitstring-status-list.
 *
 * In:  {length, encoded: [encodedList], raised: [[index, …]]}
 * Out: {raised: [[index, …]] of each of `encoded`, encoded: [encodedList] of each of `raised`}
 */
import {answer, keepStandardOutput, read} from './world.mjs';

keepStandardOutput();
const {length, encoded, raised} = await read();
const {createList, decodeList} = await import('@digitalbazaar/vc-bitstring-status-list');

const found = [];
for(const encodedList of encoded) {
  const list = await decodeList({encodedList});
  found.push([...Array(list.length).keys()].filter(index => list.getStatus(index)));
}
const written = [];
for(const indexes of raised) {
  const list = await createList({length});
  indexes.forEach(index => list.setStatus(index, true));
  written.push(await list.encode());
}
answer({raised: found, encoded: written});
