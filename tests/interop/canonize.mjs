/**
 * Canonical N-Quads of documents, by jsonld.js and rdf-canonize.
 *
 * In:  {contexts: {url: document}, documents: [document]}
 * Out: {canonical: [N-Quads, or {error}]}
 */
import jsonld from 'jsonld';
import {answer, explain, keepStandardOutput, read} from './world.mjs';

keepStandardOutput();
const {contexts, documents} = await read();

async function documentLoader(url) {
  if(!(url in contexts)) {
    throw new Error(`${url} is not pinned`);
  }
  return {contextUrl: null, documentUrl: url, document: contexts[url], tag: 'static'};
}

const canonical = [];
for(const document of documents) {
  try {
    canonical.push(await jsonld.canonize(document, {
      algorithm: 'RDFC-1.0', format: 'application/n-quads', base: null, safe: true,
      rdfDirection: 'i18n-datatype', documentLoader,
      canonizeOptions: {maxWorkFactor: Infinity}
    }));
  } catch(error) {
    canonical.push({error: explain(error)});
  }
}
answer({canonical});
