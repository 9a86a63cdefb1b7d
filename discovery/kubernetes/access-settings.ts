// Access to a Kubernetes API server: as configured, and with everything that was read for it. Thread: main.

/** Which access is configured. */
export interface AccessSettings {
  /** Absolute path; '' for the service account of the pod. */
  readonly kubeconfig: string;
  /** Of the kubeconfig; '' for its current one. */
  readonly context: string;
}

/** Everything that a request needs. Texts are PEM; '' for none. */
export interface ApiAccess {
  /** URL without a final slash. */
  readonly server: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly token: string;
  /** Name in the server's certificate; '' for the host of the URL. */
  readonly serverName: string;
  readonly verify: boolean;
  /** Namespace of this pod or context. */
  readonly namespace: string;
}
