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

/// Browsers take the name under which the pages are served to ::1 first, and ask 127.0.0.1 only if nobody answers there.
#[tokio::test(flavor = "multi_thread")]
async fn while_a_page_is_served_nobody_else_gets_its_port_at_either_address() {
    if TcpListener::bind("[::1]:0").is_err() {
        println!("skipped: no ::1 here");
        return;
    }
    let here = Here::new();
    let town = Founded::new(&here, "town", 5_000);
    for role in ["reader", "desk"] {
        let file = town.configure(role, "state", "http://127.0.0.1:9");
        let mut running = here.start(&[role, "--config", &file]);
        let link = reqwest::Url::parse(&running.says("ready ").await).unwrap();
        let port = link.port().unwrap();
        for address in ["[::1]", "127.0.0.1"] {
            let taken = TcpListener::bind(format!("{address}:{port}"));
            let why = taken.expect_err("somebody else listens where a browser asks");
            assert_eq!(why.kind(), std::io::ErrorKind::AddrInUse, "{role} at {address}");
            // The same pages at both: the guard knows the name, and asks for the cookie.
            let at = format!("{address}:{port}").parse().unwrap();
            let client = reqwest::Client::builder().no_proxy().resolve(link.host_str().unwrap(), at);
            let home = link.join("/").unwrap();
            let answer = client.build().unwrap().get(home).send().await.unwrap();
            assert_eq!(answer.status(), 403, "{role} at {address}");
            assert!(answer.text().await.unwrap().contains("This page stays closed"), "{role} at {address}");
        }
        running.signal("TERM").await;
        assert_eq!(running.ended().await.code, Some(0), "{role}");
    }
    assert_eq!(here.left(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_whose_port_somebody_else_holds_at_the_other_address_does_not_start() {
    let (listener, port) = taken();
    drop(listener);
    let Ok(_held) = TcpListener::bind(("::1", port)) else {
        println!("skipped: no ::1 here");
        return;
    };
    let here = Here::new();
    let town = Founded::new(&here, "town", 5_000);
    for role in ["reader", "desk"] {
        let file = town.configure(role, "state", "http://127.0.0.1:9");
        let good = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{good}port = {port}\n")).unwrap();
        let Ended { code, out, err } = here.run(&[role, "--config", &file]).await;
        assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
        assert_eq!(
            err,
            format!(
                "firsthand: The address [::1]:{port} is in use, and browsers ask there first: whoever holds it would \
                 see what you type. Nothing was opened. Stop the program that holds it, or give another port.\n"
            )
        );
    }
    assert_eq!(here.left(), Vec::<String>::new());
}
