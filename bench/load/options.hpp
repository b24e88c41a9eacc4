#pragma once

#include "engine.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace entrepot::load {

enum class Mode { fetch, push, images, slow_pull };

// One line of a file of mixed requests.
struct MixedRequest {
    std::string method;
    int status = 200;
    std::string path;
    std::string body;  // JSON, empty for none
};

struct FetchOptions {
    std::vector<MixedRequest> mixed;  // in place of paths
    std::vector<std::string> paths;   // asked in turn, each connection from a place of its own
    std::vector<std::string> headers;
    std::string method = "GET";
    std::string body;  // of each request
    int status = 200;
    std::uint64_t length = 0;    // 0: any
    std::uint64_t range_of = 0;  // the blob's size when parts are asked for
    std::uint64_t range_length = 64 * 1024;
    bool each_once = false;  // all paths once over all connections, instead of for a time
};

struct PushOptions {
    std::string repository;
    std::string token;
    std::string style = "put";  // put, patch, chunked
    std::uint64_t mebibytes = 500;
};

struct ImagesOptions {
    struct Repository {
        std::string name;
        std::string token;  // may be empty
    };
    std::vector<Repository> repositories;
    std::size_t layer_bytes = 4096;
};

struct SlowPullOptions {
    std::string path;
    std::string token;
    std::uint64_t length = 1'000'000;
    double hold_seconds = 8;
};

struct Options {
    Mode mode = Mode::fetch;
    Load load;
    FetchOptions fetch;
    PushOptions push;
    ImagesOptions images;
    SlowPullOptions slow_pull;
};

// Ends the process with a message when the arguments are wrong.
Options read_options(int argc, char** argv);

}  // namespace entrepot::load
