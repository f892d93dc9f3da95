//! `grpc.health.v1` beside the checks, so that Envoy leaves a process that is about to stop.

use crate::lifecycle::Phase;
use tokio::sync::watch;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::server::{HealthReporter, health_reporter};

/// The names it answers for: the server as a whole, and the service that Envoy calls.
const NAMES: [&str; 2] = ["", "envoy.service.auth.v3.Authorization"];

/// The service, `NOT_SERVING` so far, and what keeps it true; run that beside it for ever.
///
/// A `Watch` is told of every change at once. It ends when the process no longer takes connections,
/// so that it does not hold up the stop.
pub async fn health(
    phase: watch::Receiver<Phase>,
) -> (
    HealthServer<impl Health>,
    impl Future<Output = ()> + Send + 'static,
) {
    let (reporter, server) = health_reporter();
    tell(&reporter, ServingStatus::NotServing).await;
    (server, follow(reporter, phase))
}

async fn follow(mut reporter: HealthReporter, mut phase: watch::Receiver<Phase>) {
    loop {
        let now = *phase.borrow_and_update();
        match now {
            Phase::Starting | Phase::Draining => tell(&reporter, ServingStatus::NotServing).await,
            Phase::Serving => tell(&reporter, ServingStatus::Serving).await,
            Phase::Stopping | Phase::Stopped => {
                tell(&reporter, ServingStatus::NotServing).await;
                for name in NAMES {
                    reporter.clear_service_status(name).await;
                }
                return std::future::pending().await;
            }
        }
        if phase.changed().await.is_err() {
            return;
        }
    }
}

async fn tell(reporter: &HealthReporter, status: ServingStatus) {
    for name in NAMES {
        reporter.set_service_status(name, status).await;
    }
}

#[cfg(test)]
mod tests;
