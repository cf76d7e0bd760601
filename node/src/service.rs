//! Wires the node's parts together: database, executor, transaction pool, import queue, network,
//! RPC, block production and finality.

use std::{path::Path, sync::Arc, time::Duration};

use futures::{FutureExt, StreamExt};
use jsonrpsee::RpcModule;
use openledger_runtime::{Hash, OpaqueBlock as Block, RuntimeApi};
use prometheus_endpoint::Registry;
use sc_basic_authorship::ProposerFactory;
use sc_client_api::{Backend, BlockBackend};
use sc_consensus_babe::{BabeBlockImport, BabeLink, BabeWorkerHandle, SlotProportion};
use sc_consensus_grandpa::{self as grandpa, SharedVoterState};
use sc_consensus_slots::BackoffAuthoringOnFinalizedHeadLagging;
use sc_network::{
    config::{FullNetworkConfiguration, NetworkBackendType},
    service::traits::NetworkService,
    Event, Litep2pNetworkBackend, NetworkBackend, NetworkEventStream, NetworkWorker,
};
use sc_network_sync::{strategy::warp::WarpSyncConfig, SyncingService};
use sc_rpc::SubscriptionTaskExecutor;
use sc_service::{
    error::Error as ServiceError, BuildNetworkParams, Configuration, PartialComponents,
    SpawnTasksParams, TaskManager,
};
use sc_storage_monitor::{StorageMonitorParams, StorageMonitorService};
use sc_telemetry::{Telemetry, TelemetryHandle, TelemetryWorker};
use sc_transaction_pool::TransactionPoolHandle;
use sc_transaction_pool_api::{OffchainTransactionPoolFactory, RejectAllTxPool};
use sp_consensus_babe::{inherents::BabeCreateInherentDataProviders, SlotDuration};

use crate::{equivocations::ReportEquivocations, monitoring, rpc};

/// Runs the Wasm runtime with the standard host functions, and no others.
pub(crate) type RuntimeExecutor = sc_executor::WasmExecutor<sp_io::SubstrateHostFunctions>;
/// The chain: state, blocks and the runtime that reads them.
pub(crate) type FullClient = sc_service::TFullClient<Block, RuntimeApi, RuntimeExecutor>;
/// The database behind the chain.
pub(crate) type FullBackend = sc_service::TFullBackend<Block>;
/// Rule that picks the best of several chains: the longest that finality allows.
pub(crate) type FullSelectChain = sc_consensus::LongestChain<FullBackend, Block>;
/// Transactions that wait for a block.
pub(crate) type TransactionPool = TransactionPoolHandle<Block, FullClient>;

type FullGrandpaBlockImport =
    grandpa::GrandpaBlockImport<FullBackend, Block, FullClient, FullSelectChain>;
type InherentDataProviders = BabeCreateInherentDataProviders<Block>;
type FullBlockImport = BabeBlockImport<
    Block,
    FullClient,
    FullGrandpaBlockImport,
    InherentDataProviders,
    FullSelectChain,
>;
type GrandpaLink = grandpa::LinkHalf<Block, FullClient, FullSelectChain>;

/// GRANDPA makes a justification at least this often, in blocks. Warp sync and light clients
/// follow finality by them.
const GRANDPA_JUSTIFICATION_PERIOD: u32 = 512;
/// How long GRANDPA waits for gossip between the steps of a round.
const GRANDPA_GOSSIP_DURATION: Duration = Duration::from_millis(333);
/// Part of a slot that an author spends on making its block. The rest is for the block's journey
/// and its import by others.
const PROPOSAL_SLOT_PORTION: f32 = 0.5;

/// Parts that only a running node needs, beside those of [`PartialComponents`].
pub(crate) struct Extras {
    block_import: FullBlockImport,
    grandpa_link: GrandpaLink,
    babe_link: BabeLink<Block>,
    babe_worker_handle: BabeWorkerHandle<Block>,
    telemetry: Option<Telemetry>,
}

type NodeComponents = PartialComponents<
    FullClient,
    FullBackend,
    FullSelectChain,
    sc_consensus::DefaultImportQueue<Block>,
    TransactionPool,
    Extras,
>;

/// Timestamp and slot of a block made or checked now.
fn inherent_data_providers(slot_duration: SlotDuration) -> InherentDataProviders {
    Arc::new(move |_, _| async move {
        let timestamp = sp_timestamp::InherentDataProvider::from_system_time();
        let slot =
            sp_consensus_babe::inherents::InherentDataProvider::from_timestamp_and_slot_duration(
                *timestamp,
                slot_duration,
            );
        Ok((slot, timestamp))
    })
}

/// Opens the database and sets up all that checks and imports blocks.
pub(crate) fn new_partial(config: &Configuration) -> Result<NodeComponents, ServiceError> {
    let telemetry = config
        .telemetry_endpoints
        .clone()
        .filter(|endpoints| !endpoints.is_empty())
        .map(|endpoints| -> Result<_, sc_telemetry::Error> {
            let worker = TelemetryWorker::new(16)?;
            let telemetry = worker.handle().new_telemetry(endpoints);
            Ok((worker, telemetry))
        })
        .transpose()?;

    let executor = sc_service::new_wasm_executor(&config.executor);
    let (client, backend, keystore_container, task_manager) =
        sc_service::new_full_parts::<Block, RuntimeApi, RuntimeExecutor>(
            config,
            telemetry.as_ref().map(|(_, telemetry)| telemetry.handle()),
            executor,
            Vec::new(),
        )?;
    let client = Arc::new(client);

    let telemetry = telemetry.map(|(worker, telemetry)| {
        task_manager
            .spawn_handle()
            .spawn("telemetry", None, worker.run());
        telemetry
    });

    let select_chain = sc_consensus::LongestChain::new(backend.clone());
    let transaction_pool = Arc::new(
        sc_transaction_pool::Builder::new(
            task_manager.spawn_essential_handle(),
            client.clone(),
            config.role.is_authority().into(),
        )
        .with_options(config.transaction_pool.clone())
        .with_prometheus(config.prometheus_registry())
        .build(),
    );

    let (grandpa_block_import, grandpa_link) = grandpa::block_import(
        client.clone(),
        GRANDPA_JUSTIFICATION_PERIOD,
        &client,
        select_chain.clone(),
        telemetry.as_ref().map(Telemetry::handle),
    )?;

    let babe_configuration = sc_consensus_babe::configuration(&*client)?;
    let slot_duration = babe_configuration.slot_duration();
    let (block_import, babe_link) = sc_consensus_babe::block_import(
        babe_configuration,
        grandpa_block_import.clone(),
        client.clone(),
        inherent_data_providers(slot_duration),
        select_chain.clone(),
        // Its own reports are refused by every runtime.
        OffchainTransactionPoolFactory::new(RejectAllTxPool::default()),
    )?;
    // Not for blocks that this node makes itself.
    let reporting_import = ReportEquivocations::new(
        block_import.clone(),
        client.clone(),
        slot_duration,
        OffchainTransactionPoolFactory::new(transaction_pool.clone()),
    );

    let (import_queue, babe_worker_handle) =
        sc_consensus_babe::import_queue(sc_consensus_babe::ImportQueueParams {
            link: babe_link.clone(),
            block_import: reporting_import,
            justification_import: Some(Box::new(grandpa_block_import)),
            client: client.clone(),
            slot_duration,
            spawner: &task_manager.spawn_essential_handle(),
            registry: config.prometheus_registry(),
            telemetry: telemetry.as_ref().map(Telemetry::handle),
        })?;

    Ok(PartialComponents {
        client,
        backend,
        task_manager,
        keystore_container,
        select_chain,
        import_queue,
        transaction_pool,
        other: Extras {
            block_import,
            grandpa_link,
            babe_link,
            babe_worker_handle,
            telemetry,
        },
    })
}

/// Starts the node on the network backend that the command line names, litep2p if none.
pub(crate) fn start(
    config: Configuration,
    storage_monitor: StorageMonitorParams,
) -> Result<TaskManager, ServiceError> {
    let database_path = config.database.path().map(Path::to_path_buf);
    let task_manager = match config.network.network_backend {
        NetworkBackendType::Litep2p => start_with_network::<Litep2pNetworkBackend>(config)?,
        NetworkBackendType::Libp2p => start_with_network::<NetworkWorker<Block, Hash>>(config)?,
    };

    if let Some(path) = database_path {
        StorageMonitorService::try_spawn(
            storage_monitor,
            path,
            &task_manager.spawn_essential_handle(),
        )
        .map_err(|error| ServiceError::Application(error.into()))?;
    }
    Ok(task_manager)
}

/// Starts the node: everything that [`new_partial`] does not.
fn start_with_network<Network: NetworkBackend<Block, Hash>>(
    config: Configuration,
) -> Result<TaskManager, ServiceError> {
    let PartialComponents {
        client,
        backend,
        mut task_manager,
        import_queue,
        keystore_container,
        select_chain,
        transaction_pool,
        other:
            Extras {
                block_import,
                grandpa_link,
                babe_link,
                babe_worker_handle,
                mut telemetry,
            },
    } = new_partial(&config)?;

    let role = config.role;
    let name = config.network.node_name.clone();
    let force_authoring = config.force_authoring;
    let grandpa_enabled = !config.disable_grandpa;
    let offchain_worker_enabled = config.offchain_worker.enabled;
    let prometheus_registry = config.prometheus_registry().cloned();
    let keystore = keystore_container.keystore();

    // Network.
    let metrics = Network::register_notification_metrics(prometheus_registry.as_ref());
    let mut network_config = FullNetworkConfiguration::<Block, Hash, Network>::new(
        &config.network,
        prometheus_registry.clone(),
    );
    let genesis_hash = client
        .block_hash(0)?
        .ok_or_else(|| ServiceError::Other("the database holds no genesis block".into()))?;
    let grandpa_protocol_name = grandpa::protocol_standard_name(&genesis_hash, &config.chain_spec);
    let (grandpa_protocol_config, grandpa_notification_service) =
        grandpa::grandpa_peers_set_config::<_, Network>(
            grandpa_protocol_name.clone(),
            metrics.clone(),
            network_config.peer_store_handle(),
        );
    network_config.add_notification_protocol(grandpa_protocol_config);

    let warp_sync = Arc::new(grandpa::warp_proof::NetworkProvider::new(
        backend.clone(),
        grandpa_link.shared_authority_set().clone(),
        Vec::new(),
    ));
    let (network, system_rpc_tx, tx_handler_controller, sync_service, _bitswap) =
        sc_service::build_network(BuildNetworkParams {
            config: &config,
            net_config: network_config,
            client: client.clone(),
            transaction_pool: transaction_pool.clone(),
            spawn_handle: task_manager.spawn_handle(),
            spawn_essential_handle: task_manager.spawn_essential_handle(),
            import_queue,
            block_announce_validator_builder: None,
            warp_sync_config: Some(WarpSyncConfig::WithProvider(warp_sync)),
            block_relay: None,
            metrics,
            gap_sync_body_policy: None,
        })?;

    if role.is_authority() {
        spawn_authority_discovery(
            &config,
            &task_manager,
            client.clone(),
            network.clone(),
            sc_authority_discovery::Role::PublishAndDiscover(keystore.clone()),
            prometheus_registry.clone(),
        );
    }

    if let Some(registry) = prometheus_registry.clone() {
        // It calls the runtime, which takes a while in a large state.
        task_manager.spawn_handle().spawn_blocking(
            "monitoring",
            None,
            monitoring::publish(client.clone(), registry),
        );
    }

    // RPC, informant, transaction propagation.
    let shared_voter_state = SharedVoterState::empty();
    let rpc_builder = {
        let client = client.clone();
        let pool = transaction_pool.clone();
        let select_chain = select_chain.clone();
        let keystore = keystore.clone();
        let chain_spec = config.chain_spec.cloned_box();
        let shared_voter_state = shared_voter_state.clone();
        let shared_authority_set = grandpa_link.shared_authority_set().clone();
        let justification_stream = grandpa_link.justification_stream();
        let finality_provider = grandpa::FinalityProofProvider::new_for_service(
            backend.clone(),
            Some(shared_authority_set.clone()),
        );
        move |subscription_executor: SubscriptionTaskExecutor| -> Result<RpcModule<()>, ServiceError> {
            rpc::create(rpc::Dependencies {
                client: client.clone(),
                pool: pool.clone(),
                select_chain: select_chain.clone(),
                chain_spec: chain_spec.cloned_box(),
                babe: rpc::BabeDependencies {
                    worker_handle: babe_worker_handle.clone(),
                    keystore: keystore.clone(),
                },
                grandpa: rpc::GrandpaDependencies {
                    shared_voter_state: shared_voter_state.clone(),
                    shared_authority_set: shared_authority_set.clone(),
                    justification_stream: justification_stream.clone(),
                    subscription_executor,
                    finality_provider: finality_provider.clone(),
                },
            })
            .map_err(Into::into)
        }
    };
    sc_service::spawn_tasks(SpawnTasksParams {
        config,
        client: client.clone(),
        backend: backend.clone(),
        task_manager: &mut task_manager,
        keystore: keystore.clone(),
        transaction_pool: transaction_pool.clone(),
        rpc_builder: Box::new(rpc_builder),
        network: network.clone(),
        system_rpc_tx,
        tx_handler_controller,
        sync_service: sync_service.clone(),
        telemetry: telemetry.as_mut(),
        tracing_execute_block: None,
    })?;
    let telemetry = telemetry.as_ref().map(Telemetry::handle);

    if role.is_authority() {
        let slot_duration = babe_link.config().slot_duration();
        let proposer = ProposerFactory::new(
            task_manager.spawn_handle(),
            client.clone(),
            transaction_pool.clone(),
            prometheus_registry.as_ref(),
            telemetry.clone(),
        );
        let babe = sc_consensus_babe::start_babe(sc_consensus_babe::BabeParams {
            keystore: keystore.clone(),
            client: client.clone(),
            select_chain,
            env: proposer,
            block_import,
            sync_oracle: sync_service.clone(),
            justification_sync_link: sync_service.clone(),
            create_inherent_data_providers: inherent_data_providers(slot_duration),
            force_authoring,
            // Authors slow down while finality lags far behind, so that it can catch up.
            backoff_authoring_blocks: Some(BackoffAuthoringOnFinalizedHeadLagging::default()),
            babe_link,
            block_proposal_slot_portion: SlotProportion::new(PROPOSAL_SLOT_PORTION),
            max_block_proposal_slot_portion: None,
            telemetry: telemetry.clone(),
        })?;
        task_manager.spawn_essential_handle().spawn_blocking(
            "babe-proposer",
            Some("block-authoring"),
            babe,
        );
    }

    if grandpa_enabled {
        let config = grandpa::Config {
            gossip_duration: GRANDPA_GOSSIP_DURATION,
            justification_generation_period: GRANDPA_JUSTIFICATION_PERIOD,
            name: Some(name),
            observer_enabled: false,
            // A node that does not vote needs no keys.
            keystore: role.is_authority().then(|| keystore.clone()),
            local_role: role,
            telemetry: telemetry.clone(),
            protocol_name: grandpa_protocol_name,
        };
        spawn_grandpa(
            config,
            &task_manager,
            grandpa_link,
            network.clone(),
            sync_service,
            grandpa_notification_service,
            prometheus_registry,
            shared_voter_state,
            transaction_pool.clone(),
            telemetry,
        )?;
    }

    if offchain_worker_enabled {
        let offchain_workers =
            sc_offchain::OffchainWorkers::new(sc_offchain::OffchainWorkerOptions {
                runtime_api_provider: client.clone(),
                keystore: Some(keystore),
                offchain_db: backend.offchain_storage(),
                transaction_pool: Some(OffchainTransactionPoolFactory::new(transaction_pool)),
                network_provider: Arc::new(network),
                is_validator: role.is_authority(),
                // The runtime's workers have nobody to ask.
                enable_http_requests: false,
                custom_extensions: |_| Vec::new(),
            })?;
        task_manager.spawn_handle().spawn(
            "offchain-workers-runner",
            "offchain-worker",
            offchain_workers
                .run(client, task_manager.spawn_handle())
                .boxed(),
        );
    }

    Ok(task_manager)
}

/// Publishes this validator's addresses and looks up the others'.
fn spawn_authority_discovery(
    config: &Configuration,
    task_manager: &TaskManager,
    client: Arc<FullClient>,
    network: Arc<dyn NetworkService>,
    role: sc_authority_discovery::Role,
    prometheus_registry: Option<Registry>,
) {
    let dht_events = network
        .event_stream("authority-discovery")
        .filter_map(|event| async move {
            match event {
                Event::Dht(event) => Some(event),
                _ => None,
            }
        });
    let (worker, _service) = sc_authority_discovery::new_worker_and_service_with_config(
        sc_authority_discovery::WorkerConfig {
            publish_non_global_ips: config.network.allow_non_globals_in_dht,
            public_addresses: config.network.public_addresses.clone(),
            strict_record_validation: true,
            persisted_cache_directory: config.network.net_config_path.clone(),
            ..Default::default()
        },
        client,
        Arc::new(network),
        Box::pin(dht_events),
        role,
        prometheus_registry,
        task_manager.spawn_handle(),
    );
    task_manager.spawn_handle().spawn(
        "authority-discovery-worker",
        Some("networking"),
        worker.run(),
    );
}

/// Votes on finality, or follows the votes of others.
fn spawn_grandpa(
    config: grandpa::Config,
    task_manager: &TaskManager,
    link: GrandpaLink,
    network: Arc<dyn NetworkService>,
    sync: Arc<SyncingService<Block>>,
    notification_service: Box<dyn sc_network::NotificationService>,
    prometheus_registry: Option<Registry>,
    shared_voter_state: SharedVoterState,
    transaction_pool: Arc<TransactionPool>,
    telemetry: Option<TelemetryHandle>,
) -> Result<(), ServiceError> {
    let voter = grandpa::run_grandpa_voter(grandpa::GrandpaParams {
        config,
        link,
        network,
        sync: Arc::new(sync),
        notification_service,
        voting_rule: grandpa::VotingRulesBuilder::default().build(),
        prometheus_registry,
        shared_voter_state,
        telemetry,
        offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(transaction_pool),
    })?;
    // A node whose voter has failed must not go on as if it still had finality.
    task_manager
        .spawn_essential_handle()
        .spawn_blocking("grandpa-voter", None, voter);
    Ok(())
}
