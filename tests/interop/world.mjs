/**
 * Everything these programs may know about the outside: documents by address.
 *
 * Whatever is not in a World does not exist. No socket can be opened, so that a
 * verdict never depends on the network. A Network is the other way round: DIDs
 * and lists come over TLS from this machine, and only 1EdTech's schemas are handed in.
 */
import {Socket} from 'node:net';
import {text} from 'node:stream/consumers';

const MULTIKEY = 'https://w3id.org/security/multikey/v1';
const DID_CONTEXTS = ['https://www.w3.org/ns/did/v1', MULTIKEY];
export const SCHEMAS = 'https://purl.imsglobal.org/spec/ob/v3p0/schema/';

export class World {
  #documents;
  #missed = new Set();

  constructor(documents) {
    this.#documents = new Map(Object.entries(documents));
  }

  /** The addresses asked for in vain since `forgetMissed`. */
  get missed() {
    return [...this.#missed];
  }

  forgetMissed() {
    this.#missed.clear();
  }

  /** A JSON-LD document loader that also dereferences DIDs and their keys. */
  loader() {
    return async url => {
      const document = url.startsWith('did:') ?
        this.#dereference(url) : this.#find(url);
      if(document === undefined) {
        throw new Error(`NotFoundError: ${url} is not in the world`);
      }
      return {contextUrl: null, documentUrl: url, document};
    };
  }

  /** Takes the place of the platform's `fetch`; 404 for what is not here. */
  fetch() {
    return async (input, init) => {
      const url = input instanceof Request ? input.url : new Request(input, init).url;
      const document = this.#find(url);
      return document === undefined ?
        new Response(`${url} is not in the world`, {status: 404}) :
        Response.json(document);
    };
  }

  /** Lets everything in this process see this world and no other. */
  replaceTheNetwork() {
    globalThis.fetch = this.fetch();
    Socket.prototype.connect = () => {
      throw new Error('these programs open no connections');
    };
  }

  #find(url) {
    if(!this.#documents.has(url)) {
      this.#missed.add(url);
    }
    return this.#documents.get(url);
  }

  #dereference(didUrl) {
    const [did, fragment] = didUrl.split('#');
    const document = did.startsWith('did:key:') ?
      didKeyDocument(did) : this.#find(did);
    if(fragment === undefined || document === undefined) {
      return document;
    }
    const method = document.verificationMethod?.find(({id}) => id === didUrl);
    return method && {
      '@context': method.type === 'Multikey' ? MULTIKEY : document['@context'],
      ...method
    };
  }
}

function didKeyDocument(did) {
  const publicKeyMultibase = did.slice('did:key:'.length);
  const id = `${did}#${publicKeyMultibase}`;
  return {
    '@context': DID_CONTEXTS,
    id: did,
    verificationMethod: [{id, type: 'Multikey', controller: did, publicKeyMultibase}],
    assertionMethod: [id]
  };
}

/** The real network of this machine; a verifier's own contexts and 1EdTech's schemas are handed in. */
export class Network extends World {
  #platform = globalThis.fetch;
  #contexts;
  #didWeb;

  constructor(documents) {
    const handedIn = Object.entries(documents);
    super(Object.fromEntries(handedIn.filter(([url]) => url.startsWith(SCHEMAS))));
    this.#contexts = new Map(handedIn);
  }

  /** did:web by Digital Bazaar's own resolver, lists by `fetch`. */
  loader() {
    const resolved = super.loader();
    return async url => {
      if(url.startsWith('did:web:')) {
        return {contextUrl: null, documentUrl: url, document: await this.#resolve(url)};
      }
      if(this.#contexts.has(url) || url.startsWith('did:')) {
        const document = this.#contexts.get(url);
        return document ? {contextUrl: null, documentUrl: url, document} : resolved(url);
      }
      const reply = await fetch(url);
      if(!reply.ok) {
        throw new Error(`NotFoundError: ${url} answered ${reply.status}`);
      }
      return {contextUrl: null, documentUrl: url, document: await reply.json()};
    };
  }

  /** The platform's own for https on this machine, which is all that may be asked. */
  fetch() {
    const handedIn = super.fetch();
    return async (input, init) => {
      const {protocol, hostname} = new URL(input instanceof Request ? input.url : input);
      return protocol === 'https:' && hostname === 'localhost' ?
        this.#platform(input, init) : handedIn(input, init);
    };
  }

  replaceTheNetwork() {
    globalThis.fetch = this.fetch();
  }

  async #resolve(didUrl) {
    this.#didWeb ??= (await import('@digitalbazaar/did-method-web')).driver();
    return this.#didWeb.get({url: didUrl});
  }
}

/** The one JSON document on standard input. */
export async function read() {
  return JSON.parse(await text(process.stdin));
}

/** Standard output is for `answer` alone; what libraries print goes to stderr. */
export function keepStandardOutput() {
  console.log = console.info = console.error;
}

export function answer(value) {
  process.stdout.write(JSON.stringify(value));
}

/** What went wrong, in one line: an error and all that it wraps. */
export function explain(error) {
  const sentences = new Set();
  (function collect(e) {
    if(!e) {
      return;
    }
    if(typeof e === 'string') {
      sentences.add(e);
      return;
    }
    const event = e.details?.event;
    sentences.add([e.message, event?.message, event?.details?.property ?? '']
      .filter(Boolean).join(' '));
    [e.cause, ...(e.errors ?? [])].forEach(collect);
  })(error);
  return [...sentences].join('; ');
}
