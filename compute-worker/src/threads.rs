//! How many threads the tensor library uses.

/// Settles the number of threads, unless the environment says otherwise. Call it first of all, while
/// the process has one thread.
///
/// candle asks for the number before every matrix product, and without `RAYON_NUM_THREADS` it reads
/// `/proc/cpuinfo` each time. Its elementwise operations wait for one another in a spinning pool of
/// their own, which costs more than it gains beside our operations on rayon's threads, and much more
/// where anything else runs on the machine. Together that was two fifths of a training step.
pub fn configure() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let defaults = [
        ("RAYON_NUM_THREADS", cores.to_string()),
        ("CANDLE_NUM_THREADS", "1".to_owned()),
    ];
    for (name, value) in defaults {
        if std::env::var_os(name).is_none() {
            std::env::set_var(name, value);
        }
    }
}
