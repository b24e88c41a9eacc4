#include "options.hpp"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>

#include <CLI/CLI.hpp>

namespace entrepot::load {
namespace {

std::string read_file(const std::string& name)
{
    std::ifstream file{name, std::ios::binary};
    if (!file) {
        std::cerr << "cannot read " << name << '\n';
        std::exit(64);
    }
    return {std::istreambuf_iterator<char>{file}, {}};
}

std::vector<std::string> read_lines(const std::string& name)
{
    std::istringstream text{read_file(name)};
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) {
        if (!line.empty()) lines.push_back(line);
    }
    return lines;
}

// "NAME TOKEN" a line; the token may be left out.
std::vector<ImagesOptions::Repository> read_repositories(const std::string& name)
{
    std::vector<ImagesOptions::Repository> repositories;
    for (const auto& line : read_lines(name)) {
        std::istringstream words{line};
        ImagesOptions::Repository repository;
        words >> repository.name >> repository.token;
        repositories.push_back(std::move(repository));
    }
    return repositories;
}

// "METHOD STATUS PATH [BODY]" a line; the body is the rest of the line.
std::vector<MixedRequest> read_mixed(const std::string& name)
{
    std::vector<MixedRequest> requests;
    for (const auto& line : read_lines(name)) {
        std::istringstream words{line};
        MixedRequest request;
        words >> request.method >> request.status >> request.path;
        std::getline(words >> std::ws, request.body);
        requests.push_back(std::move(request));
    }
    return requests;
}

struct Files {
    std::string paths;
    std::string mixed;
    std::string body;
    std::string repositories;
};

void describe_fetch(CLI::App& app, FetchOptions& fetch, Files& files)
{
    auto* paths = app.add_option("--paths", files.paths, "file with one path a line");
    auto* mixed = app.add_option("--mixed", files.mixed, "file with 'METHOD STATUS PATH [BODY]' a line");
    mixed->excludes(paths);
    app.add_option("--header", fetch.headers, "field to send, as 'Name: value'");
    app.add_option("--method", fetch.method, "GET, HEAD or PUT");
    app.add_option("--body", files.body, "file to send with each request");
    app.add_option("--status", fetch.status, "the only right status");
    app.add_option("--length", fetch.length, "the only right length of the answer's body");
    app.add_option("--range-of", fetch.range_of, "ask for random parts of a blob of this size");
    app.add_option("--range-length", fetch.range_length, "bytes of a part");
    app.add_flag("--each-once", fetch.each_once, "every path once, then end");
}

void describe(CLI::App& app, Options& options, Files& files, std::string& endpoint)
{
    app.require_subcommand(1);
    app.fallthrough();
    app.add_option("--target", endpoint, "ADDRESS:PORT")->required();
    app.add_flag("--tls", options.load.target.tls, "over TLS, certificate not checked");
    app.add_option("-c,--connections", options.load.connections, "connections at once");
    app.add_option("--seconds", options.load.seconds, "how long to go on");
    app.add_flag("--wait", options.load.wait_for_go, "print 'ready' when connected, begin when a line is read");
    describe_fetch(*app.add_subcommand("fetch", "the same request over a list of paths"), options.fetch, files);

    auto* push = app.add_subcommand("push", "one large blob a connection");
    push->add_option("--repository", options.push.repository)->required();
    push->add_option("--token", options.push.token);
    push->add_option("--style", options.push.style, "put; patch; chunked: PATCH in 32 KiB chunks")
        ->check(CLI::IsMember({"put", "patch", "chunked"}));
    push->add_option("--mebibytes", options.push.mebibytes);

    auto* images = app.add_subcommand("images", "images of two blobs and a manifest");
    images->add_option("--repositories", files.repositories, "file with 'NAME TOKEN' a line")->required();
    images->add_option("--layer-bytes", options.images.layer_bytes);

    auto* slow = app.add_subcommand("slow-pull", "many downloads that are all open at once");
    slow->add_option("--path", options.slow_pull.path)->required();
    slow->add_option("--token", options.slow_pull.token);
    slow->add_option("--length", options.slow_pull.length);
    slow->add_option("--hold-seconds", options.slow_pull.hold_seconds);
}

Mode mode_of(const CLI::App& app)
{
    if (app.got_subcommand("fetch")) return Mode::fetch;
    if (app.got_subcommand("push")) return Mode::push;
    if (app.got_subcommand("images")) return Mode::images;
    return Mode::slow_pull;
}

}  // namespace

Options read_options(int argc, char** argv)
{
    Options options;
    Files files;
    std::string endpoint;
    CLI::App app{"entrepot_load: load for one registry from one thread, measured on the client's side"};
    describe(app, options, files, endpoint);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        std::exit(app.exit(error));
    }
    options.mode = mode_of(app);
    options.load.target = target_of(endpoint, options.load.target.tls);
    if (!files.paths.empty()) options.fetch.paths = read_lines(files.paths);
    if (!files.mixed.empty()) options.fetch.mixed = read_mixed(files.mixed);
    if (options.mode == Mode::fetch && options.fetch.paths.empty() && options.fetch.mixed.empty()) {
        std::cerr << "fetch needs --paths or --mixed\n";
        std::exit(64);
    }
    if (!files.body.empty()) options.fetch.body = read_file(files.body);
    if (!files.repositories.empty()) options.images.repositories = read_repositories(files.repositories);
    const bool by_time = options.mode == Mode::images || (options.mode == Mode::fetch && !options.fetch.each_once);
    if (!by_time) options.load.seconds = 0;
    return options;
}

}  // namespace entrepot::load
