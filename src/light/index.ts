// `diseq/light`: follows a network without trusting any node of it.
export { genesisBlock, type TrustedBlock, trustGenesis } from '../proofs/index.ts'
export { ForkError, LightClient, type LightClientOptions } from './light-client.ts'
