/**
 * The official client of FDC3 2.2, as it is. The package is written for bundlers, plain Node cannot load it: the
 * build puts a bundle of it in the place of this file.
 */
export {
  AbstractMessaging,
  DefaultAppSupport,
  DefaultChannelSupport,
  DefaultHeartbeatSupport,
  DefaultIntentSupport,
  DesktopAgentProxy,
  type RegisterableListener,
} from '@finos/fdc3-agent-proxy'
