/**
 * Verify credentials with two verifiers that are not ours.
 *
 * In:  {world: {address: document}, cases: [{id, credential}], online?, registries?}
 * Out: {digitalbazaar: [{id, verified, revoked, why}], "verifier-core": […]}
 *
 * With `online`, they resolve DIDs and fetch status lists themselves, over TLS.
 * A credential may be given as JSON text, which each verifier then gets parsed.
 * `verified`: proof, dates and structure hold and the status list could be read.
 * `revoked`: the status bit, or null when there is none or it could not be told.
 * `registered`, of verifier-core: who the issuer is by the lists in `registries`, as its
 * own client of issuer registries reads them, and which of them could not be read.
 */
import {
  Network, SCHEMAS, World, answer, explain, keepStandardOutput, read
} from './world.mjs';

keepStandardOutput();
const {world: documents, cases, online = false, registries = []} = await read();
const world = online ? new Network(documents) : new World(documents);
world.replaceTheNetwork();

// Imported late: the libraries are to find our `fetch`, not the platform's.
const verifiers = {
  digitalbazaar: await digitalbazaar(world.loader()),
  'verifier-core': await verifierCore()
};

const verdicts = {};
for(const [name, verify] of Object.entries(verifiers)) {
  verdicts[name] = [];
  for(const {id, credential} of cases) {
    verdicts[name].push({id, ...await verdict(verify, credential)});
  }
}
answer(verdicts);

async function verdict(verify, credential) {
  try {
    const parsed = typeof credential === 'string' ?
      JSON.parse(credential) : structuredClone(credential);
    const found = await verify(parsed);
    const missed = world.missed.map(url => `${url} is not in the world`);
    return {...found, why: [found.why, ...missed].filter(Boolean).join('; ')};
  } catch(error) {
    return {verified: false, revoked: null, why: explain(error)};
  } finally {
    world.forgetMissed();
  }
}

async function digitalbazaar(documentLoader) {
  const {DataIntegrityProof} = await import('@digitalbazaar/data-integrity');
  const {cryptosuite} = await import('@digitalbazaar/eddsa-rdfc-2022-cryptosuite');
  const {checkStatus} = await import('@digitalbazaar/vc-bitstring-status-list');
  const {verifyCredential} = await import('@digitalbazaar/vc');
  const suite = new DataIntegrityProof({cryptosuite});

  return async credential => {
    const {verified, error, statusResult} = await verifyCredential({
      credential, suite, documentLoader, checkStatus
    });
    // A set bit leaves `verified` true: only `status` tells.
    const bits = statusResult?.results?.map(({status}) => status);
    return {
      verified,
      revoked: bits?.length ? bits.some(Boolean) : null,
      why: [explain(error), explain(statusResult?.error)].filter(Boolean).join('; ')
    };
  };
}

async function verifierCore() {
  const {verifyCredential} = await import('@digitalcredentials/verifier-core');

  return async credential => {
    const result = await verifyCredential({credential, knownDIDRegistries: registries});
    if(result.errors) {
      return {verified: false, revoked: null, why: result.errors.map(explainFatal).join('; ')};
    }
    const steps = (result.log ?? []).filter(({id}) => id !== 'registered_issuer');
    const registered = result.log?.find(({id}) => id === 'registered_issuer');
    const status = steps.filter(({id}) => id.endsWith('_status'));
    const failed = steps.filter(step => step.error ||
      !(step.valid || status.includes(step)));
    const schema = schemaVerdict(result.additionalInformation);
    return {
      verified: !result.error && failed.length === 0 && schema.holds &&
        steps.some(({id, valid}) => id === 'valid_signature' && valid),
      revoked: status.length && !status.some(({error}) => error) ?
        status.some(({valid}) => !valid) : null,
      registered: {
        issuers: registered?.matchingIssuers.map(({issuer}) => issuer.federation_entity) ?? [],
        unread: registered?.uncheckedRegistries.map(({url}) => url) ?? []
      },
      why: [
        explain(result.error),
        ...failed.map(({id, error}) => error ? `${id}: ${error.message}` : id),
        schema.why
      ].filter(Boolean).join('; ')
    };
  };
}

function explainFatal({name, message, stackTrace, details}) {
  return [name, explain({message, details}), stackTrace?.message].filter(Boolean).join(': ');
}

/** A schema nobody gave us is named in `why`, and fails nothing. */
function schemaVerdict(information = []) {
  const {results} = information.find(({id}) => id === 'schema_check') ?? {};
  if(!Array.isArray(results)) {
    const absent = world.missed.filter(url => url.startsWith(SCHEMAS));
    return {
      holds: absent.length > 0 || results === 'NO_SCHEMA',
      why: absent.length ? `schema not checked` : `schema: ${results}`
    };
  }
  const broken = results.filter(({result}) => !result.valid);
  return {
    holds: broken.length === 0,
    why: broken.flatMap(({schema, result}) => result.errors.map(
      ({instancePath, message}) => `schema ${schema}: ${instancePath} ${message}`)).join('; ')
  };
}
