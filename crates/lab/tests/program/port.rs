//! Ports in use.

use std::net::TcpListener;

use crate::founded::Founded;
use crate::run::{Ended, Here};

/// Takes a port of which the two before are free. Outside of those that the system gives out by itself.
fn taken() -> (TcpListener, u16) {
    let start = 20_000 + (std::process::id() % 5_000) as u16;
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).ok();
    let port =
        (start..start + 5_000).find(|port| (port - 2..=*port).all(|port| free(port).is_some())).unwrap();
    (free(port).unwrap(), port)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demonstration_on_a_port_in_use_says_so_and_leaves_nothing() {
    let (_listener, port) = taken();
    for (role, first) in [("edge", port), ("reader", port - 1), ("desk", port - 2)] {
        let here = Here::new();
        let first = first.to_string();
        let Ended { code, out, err } =
            here.run(&["demo", "--no-open", "--clock", "fast", "--readers", "8", "--port", &first]).await;
        assert_eq!(code, Some(1), "{err}");
        let give = if role == "edge" { "another one" } else { "another port" };
        assert_eq!(
            err,
            format!(
                "firsthand: The {role} did not start: The address 127.0.0.1:{port} is in use. Stop the program that \
                 holds it, or give {give}.\n"
            )
        );
        assert!(!out.contains("http://"), "{out}");
        assert_eq!(here.left(), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_on_a_port_in_use_does_not_start() {
    let (_listener, port) = taken();
    let here = Here::new();
    let town = Founded::new(&here, "town", 5_000);
    for (role, key) in [("edge", "listen"), ("reader", "port"), ("desk", "port")] {
        let file = town.configure(role, "state", "http://127.0.0.1:9");
        let good = std::fs::read_to_string(&file).unwrap();
        let text = match key {
            "listen" => good.replace("127.0.0.1:0", &format!("127.0.0.1:{port}")),
            _ => format!("{good}port = {port}\n"),
        };
        std::fs::write(&file, text).unwrap();
        let Ended { code, out, err } = here.run(&[role, "--config", &file]).await;
        assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
        let start = format!(
            "firsthand: The address 127.0.0.1:{port} is in use. Stop the program that holds it, or give "
        );
        assert!(err.starts_with(&start), "{err}");
    }
    assert_eq!(here.left(), Vec::<String>::new());
}
